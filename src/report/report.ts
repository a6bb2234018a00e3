import type { Difference } from '../session/catalogue.ts';
import type { Failure } from '../session/failure.ts';

/** Why a reload, or another start, was begun. */
export type Trigger =
  | { readonly kind: 'first-start' }
  | { readonly kind: 'change'; readonly paths: readonly string[] }
  | { readonly kind: 'request'; readonly by: string }
  | { readonly kind: 'crash'; readonly generation: number };

/** How long the phases of a reload took, in milliseconds. */
export interface Phases {
  /** From the first change that was seen to the end of the batch. */
  readonly gather: number;
  /** Clearing of caches and the build. */
  readonly build: number;
  /** From the start of the process to the hand-over. */
  readonly start: number;
  /** All of it. */
  readonly total: number;
}

/** What people should hear of. */
export type Report =
  | {
      readonly event: 'ready';
      readonly generation: number;
      readonly trigger: Trigger;
      readonly phases: Phases;
      readonly differences: readonly Difference[] | undefined;
    }
  /** A reload came to nothing. `serving` is the generation that goes on, with old code. */
  | {
      readonly event: 'failed';
      readonly trigger: Trigger;
      /** Up to the failure; a phase that was not reached took no time. */
      readonly phases: Phases;
      readonly failure: Failure;
      readonly serving: number | undefined;
      readonly retryMs: number | undefined;
    }
  | {
      readonly event: 'crashed';
      readonly failure: Failure;
      /** The generation before it, which serves again. */
      readonly serving: number | undefined;
      /** When another one is started; `undefined` when that waits for a change. */
      readonly retryMs: number | undefined;
    }
  /** From now on the running generation ends before the next one starts, or before the next build. */
  | { readonly event: 'one-at-a-time'; readonly failure: Failure; readonly phase: 'start' | 'build' }
  /** Builds keep changing a file that is watched. */
  | { readonly event: 'loop'; readonly path: string };
