import type { Report } from '../report/report.ts';

/** How a reload ended that somebody waits for: in a report, or not in the time that was given. */
export type ReloadOutcome =
  | Extract<Report, { event: 'ready' | 'failed' | 'crashed' }>
  | { readonly event: 'pending' };

interface Waiter {
  /** What was reported last since it waits. */
  seen: Exclude<ReloadOutcome, { event: 'pending' }> | undefined;
  readonly end: (outcome: ReloadOutcome) => void;
}

/**
 * Those who wait for the end of a reload. It has ended when there was a report of it and nothing newer is on its way:
 * what was saved meanwhile makes another one, and who asked wants to hear of the newest source.
 */
export class AwaitedReloads {
  readonly #waiting = new Set<Waiter>();

  /** Resolves with what comes of the reload that is on its way, or with `pending` after `ms`. */
  outcome(ms: number): Promise<ReloadOutcome> {
    return new Promise((resolve) => {
      const timer = Number.isFinite(ms)
        ? setTimeout(() => waiter.end({ event: 'pending' }), ms).unref()
        : undefined;
      const waiter: Waiter = {
        seen: undefined,
        end: (outcome) => {
          clearTimeout(timer);
          this.#waiting.delete(waiter);
          resolve(outcome);
        },
      };
      this.#waiting.add(waiter);
    });
  }

  reported(report: Report): void {
    if (report.event === 'one-at-a-time' || report.event === 'loop') return;
    for (const waiter of this.#waiting) waiter.seen = report;
  }

  /** Somebody waits. */
  get areWaitedFor(): boolean {
    return this.#waiting.size > 0;
  }

  /** Nothing is on its way any more. */
  settled(): void {
    for (const { seen, end } of this.#waiting) if (seen !== undefined) end(seen);
  }
}
