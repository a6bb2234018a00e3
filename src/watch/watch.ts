import type { Change } from './change.ts';
import type { Fault } from './faults.ts';
import type { ScopeOptions } from './scope.ts';
import { Watcher } from './watcher.ts';

export type { Change } from './change.ts';
export type { Fault } from './faults.ts';
export type { CompiledOutput } from './scope.ts';

export interface WatchOptions extends ScopeOptions {
  /** Ms between two looks at each file instead of file events; undefined uses events. */
  readonly poll: number | undefined;
  /** Ms of quiet that end a batch; undefined adapts them: 10 for a single file after a calm second, else 100. */
  readonly debounce: number | undefined;
}

export interface WatchEvents {
  /** As soon as a change is known to be one; `onBatch` with it follows. */
  onChange(change: Change): void;
  /** At the end of the quiet time: all changes since the last batch, one for each path, sorted by path. */
  onBatch(changes: readonly Change[]): void;
  /** Something is not, or not well, covered. */
  onFault(fault: Fault): void;
}

export interface Watch {
  /** Everything is watched; what changed before, since the baseline, is a change all the same. */
  readonly ready: Promise<void>;
  /**
   * What the builder read, absolute paths: watched at once. After a failed build any source in or below the
   * folders of these files counts too, as a missing import may be made there.
   */
  setInputs(files: Iterable<string>, lastBuildFailed: boolean): void;
  /**
   * The wall-clock ms at which the build of the newest generation began. A file whose content is not noted yet
   * has changed if it is newer than this. At first it is the time of the start.
   */
  setBaseline(wallClockMs: number): void;
  /** No callback follows the call. */
  close(): Promise<void>;
}

/** Starts watching. Nothing heavy is loaded before this is called. */
export function startWatch(options: WatchOptions, events: WatchEvents): Watch {
  return new Watcher(options, events);
}
