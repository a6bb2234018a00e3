import type { Change } from './change.ts';

/** What is a reason not to end a batch yet: git writes files, or a file is still being looked at. */
export type Hold = 'none' | 'looking' | 'git';

/** What the owner of the clock has to do next. Times are in ms on the clock that it drives us with. */
export type Step =
  | { readonly kind: 'idle' }
  | { readonly kind: 'wait'; readonly until: number }
  | { readonly kind: 'batch'; readonly changes: readonly Change[] };

type State =
  | { readonly kind: 'idle'; readonly lastAt: number }
  | {
      readonly kind: 'collecting';
      readonly changes: Map<string, Change>;
      readonly firstAt: number;
      lastAt: number;
      quiet: number;
    };

/** Quiet that ends a batch of one file after a calm second. */
const QUIET_SINGLE = 10;
/** Quiet that ends any other batch. */
const QUIET_SEVERAL = 100;
/** Quiet of an output folder that a compiler elsewhere writes: it takes its time between files. */
const QUIET_COMPILED = 200;
const CALM = 1000;
/** How long a batch waits at most; while git holds its index lock. */
const LIMIT = 1000;
const LIMIT_GIT = 3000;
/** How often git's lock is looked for while only its end is waited for. */
const GIT_CHECK = 50;

/**
 * Gathers changes into batches, each ended by a quiet time. It has no clock: time goes in with each call, and
 * the next moment to call comes out.
 */
export class Batcher {
  readonly #fixedQuiet: number | undefined;
  #state: State = { kind: 'idle', lastAt: Number.NEGATIVE_INFINITY };

  /** @param fixedQuiet quiet time in ms; undefined adapts it to what happens */
  constructor(fixedQuiet: number | undefined) {
    this.#fixedQuiet = fixedQuiet;
  }

  /**
   * Takes a change at `now`.
   * @param noticedAt when its first sign came, from which on it is quiet
   * @param compiled whether it lies in an output folder of a compiler elsewhere
   */
  add(change: Change, now: number, noticedAt: number, compiled: boolean): void {
    const state = this.#state;
    switch (state.kind) {
      case 'idle': {
        const calm = noticedAt - state.lastAt >= CALM;
        this.#state = {
          kind: 'collecting',
          changes: new Map([[change.path, change]]),
          firstAt: now,
          lastAt: noticedAt,
          quiet: this.#quiet(calm ? QUIET_SINGLE : QUIET_SEVERAL, compiled),
        };
        return;
      }
      case 'collecting': {
        const earlier = state.changes.get(change.path);
        state.changes.set(change.path, earlier === undefined ? change : merged(earlier, change));
        state.lastAt = Math.max(state.lastAt, noticedAt);
        const least = state.changes.size > 1 ? QUIET_SEVERAL : QUIET_SINGLE;
        state.quiet = Math.max(state.quiet, this.#quiet(least, compiled));
        return;
      }
    }
  }

  /** What is to be done at `now`; to be asked after each `add`, when a hold ends, and at the time it names. */
  next(now: number, hold: Hold): Step {
    const state = this.#state;
    if (state.kind === 'idle') return { kind: 'idle' };
    const limit = state.firstAt + Math.max(hold === 'git' ? LIMIT_GIT : LIMIT, this.#fixedQuiet ?? 0);
    const quietEnd = state.lastAt + state.quiet;
    const end = hold === 'none' ? Math.min(quietEnd, limit) : limit;
    if (now < end) {
      return { kind: 'wait', until: Math.min(end, Math.max(quietEnd, now + GIT_CHECK)) };
    }
    this.#state = { kind: 'idle', lastAt: state.lastAt };
    const changes = [...state.changes.values()];
    return { kind: 'batch', changes: changes.sort((a, b) => (a.path < b.path ? -1 : 1)) };
  }

  #quiet(adaptive: number, compiled: boolean): number {
    return this.#fixedQuiet ?? (compiled ? QUIET_COMPILED : adaptive);
  }
}

/** One change for what happened to a file twice within a batch. */
function merged(earlier: Change, later: Change): Change {
  if (earlier.kind === 'added' && later.kind === 'changed') return { ...later, kind: 'added' };
  if (earlier.kind === 'removed' && later.kind === 'added') return { ...later, kind: 'changed' };
  return later;
}
