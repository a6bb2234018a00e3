/** A life of this length ends a row of crashes. */
const SETTLED_MS = 10_000;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;
const MOST_IN_A_ROW = 5;

/** What follows a crash: another start after so many ms (0: at once), or none until something changes. */
export type AfterCrash =
  | { readonly kind: 'retry'; readonly afterMs: number }
  | { readonly kind: 'wait-for-change' };

/** The wait after the nth failure in a row, from 1: 0.5 s, doubled each time, 30 s at most. In ms. */
export function retryDelay(failuresInARow: number): number {
  return Math.min(FIRST_DELAY_MS * 2 ** (failuresInARow - 1), LONGEST_DELAY_MS);
}

/** Counts the crashes in a row. Has no clock: it is told how long each generation had lived. */
export class CrashBackoff {
  #inARow = 0;

  /** A generation ended by itself, with whatever code, after `livedMs`. */
  crashed(livedMs: number): AfterCrash {
    if (livedMs >= SETTLED_MS) {
      this.#inARow = 0;
      return { kind: 'retry', afterMs: 0 };
    }
    this.#inARow += 1;
    if (this.#inARow >= MOST_IN_A_ROW) return { kind: 'wait-for-change' };
    return { kind: 'retry', afterMs: retryDelay(this.#inARow) };
  }

  /** A change or an explicit reload: what crashes from now on is a new row. */
  reset(): void {
    this.#inARow = 0;
  }
}
