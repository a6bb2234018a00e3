import type { Exit } from '../generation/exit.ts';
import type { Report } from '../report/report.ts';
import type { Difference } from '../session/catalogue.ts';
import type { SessionEvent } from '../session/events.ts';
import type { Failure } from '../session/failure.ts';
import type { Change } from '../watch/change.ts';

/** The timers of the state machine. */
export type ReloadTimer = 'ready' | 'retry' | 'calm';

/** What happens to the state machine. */
export type ReloadEvent =
  | { readonly type: 'begin' }
  /** A real change was seen; its batch is still being gathered. */
  | { readonly type: 'change-seen' }
  | { readonly type: 'batch'; readonly changes: readonly Change[] }
  /** Somebody asked for a reload. */
  | { readonly type: 'requested'; readonly by: string }
  | { readonly type: 'built' }
  | { readonly type: 'build-failed'; readonly failure: Failure }
  | { readonly type: 'build-aborted' }
  | { readonly type: 'greeted'; readonly generation: number }
  | {
      readonly type: 'ready';
      readonly generation: number;
      readonly differences: readonly Difference[] | undefined;
    }
  | { readonly type: 'rejected'; readonly generation: number; readonly failure: Failure }
  | { readonly type: 'drained'; readonly generation: number }
  /** A generation that was replaced cannot serve again. */
  | { readonly type: 'dismissed'; readonly generation: number }
  /** A process ended, on our demand or by itself. `text` holds the last lines of its stderr. */
  | {
      readonly type: 'exited';
      readonly generation: number;
      readonly exit: Exit;
      readonly text: string;
      readonly livedMs: number;
    }
  /** A process closed its end of a pipe and lives on: it can take part in nothing any more. */
  | {
      readonly type: 'cut-off';
      readonly generation: number;
      readonly pipe: 'stdin' | 'stdout';
      readonly text: string;
      readonly livedMs: number;
    }
  | { readonly type: 'timer'; readonly timer: ReloadTimer };

/** What the state machine wants done. */
export type ReloadCommand =
  /** Clear the caches, then build if there is something to build. Answered by one of the build events. */
  | { readonly do: 'build' }
  | { readonly do: 'abort-build' }
  | { readonly do: 'start'; readonly generation: number; readonly newest: boolean }
  | { readonly do: 'stop'; readonly generation: number }
  | { readonly do: 'session'; readonly event: SessionEvent }
  | { readonly do: 'set-timer'; readonly timer: ReloadTimer; readonly ms: number }
  | { readonly do: 'clear-timer'; readonly timer: ReloadTimer }
  | { readonly do: 'report'; readonly report: Report };
