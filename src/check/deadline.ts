import { setMaxListeners } from 'node:events';

/** Why a run is over before its end. */
export type Cause =
  | { readonly kind: 'timeout'; readonly ms: number }
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals };

/** What a wait for something ends with when the run is over first. */
export const OVER = Symbol('over');

/** The end of a run that comes whatever the server does: its time is up, or somebody asks us to stop. */
export class Deadline {
  readonly #abort = new AbortController();
  readonly #over: Promise<typeof OVER>;
  readonly #timer: NodeJS.Timeout;
  #cause: Cause | undefined;

  constructor(ms: number) {
    // Each request of the official clients listens while it waits.
    setMaxListeners(0, this.#abort.signal);
    this.#over = new Promise((resolve) => {
      this.#abort.signal.addEventListener('abort', () => resolve(OVER));
    });
    this.#timer = setTimeout(() => this.end({ kind: 'timeout', ms }), ms);
  }

  /** The run is over now; the first cause counts. */
  end(cause: Cause): void {
    this.#cause ??= cause;
    this.#abort.abort();
  }

  get cause(): Cause | undefined {
    return this.#cause;
  }

  /** Why what had not ended when the run was over has failed. */
  get explanation(): string {
    return this.#cause?.kind === 'timeout'
      ? `it had not ended after ${this.#cause.ms} ms of the whole run: give it more with --timeout if it is only slow`
      : 'it was interrupted';
  }

  /** Aborted when the run is over. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Waits for the work, or for the end of the run. */
  race<T>(work: Promise<T>): Promise<T | typeof OVER> {
    return Promise.race([work, this.#over]);
  }

  /** Nothing has to be bounded any more. */
  clear(): void {
    clearTimeout(this.#timer);
  }
}
