/** How one build ended; `ms` is its wall-clock time. */
export type BuildOutcome =
  | { readonly outcome: 'built'; readonly ms: number }
  | {
      readonly outcome: 'failed';
      readonly ms: number;
      /** A few words: `exit code 2`, `SIGKILL`, `2 errors`, `cannot start: …`. */
      readonly reason: string;
      /** What the compiler said, without colours, 16 KB at most. */
      readonly text: string;
    }
  | { readonly outcome: 'aborted'; readonly ms: number };

/** Makes what a generation runs out of what somebody saved. */
export interface Builder {
  /**
   * Runs one build. A second one must not be asked for before the first has resolved. A failure is a
   * value and never rejects. When `signal` aborts, resolves `aborted`, and only once all that the
   * build had started is gone.
   */
  build(signal: AbortSignal): Promise<BuildOutcome>;
  /** Ends a running build and gives back what the builder holds. */
  close(): Promise<void>;
  /** Ends a running build at once and synchronously, for the way out of a crash. */
  killNow(): void;
}

/** The most that `text` of a failed build holds, in bytes. */
export const TEXT_LIMIT = 16 * 1024;

/** Starts a stopwatch; the function gives the whole milliseconds since. */
export function stopwatch(): () => number {
  const start = performance.now();
  return () => Math.round(performance.now() - start);
}
