/** The files of a standby's folder, by which it and the runner meet. */
export const FILES = {
  /** What to load: for node `Package[]` as JSON, for Python the mode. */
  load: 'load',
  /** A named pipe that the runner holds open; a line says which generation the standby becomes. */
  go: 'go',
  /** `Ready` as JSON: the standby waits. */
  ready: 'ready.json',
  /** Why it never will. */
  failed: 'failed',
} as const;

/** What a standby tells when it waits. */
export interface Ready {
  /** Of the process that loaded the packages; what the runner has started may be a parent of it. */
  readonly pid: number;
  /** The files that it has loaded, each with what they were like then. */
  readonly files: readonly (readonly [path: string, stamp: string | undefined])[];
}
