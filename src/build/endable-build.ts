import type { Builder, BuildOutcome } from './builder.ts';

/** What a builder runs, so that the builder itself can end it, too, when it is closed. */
export class EndableBuild {
  readonly #run: Builder['build'];
  readonly #closing = new AbortController();
  #running: Promise<BuildOutcome> | undefined;

  constructor(run: Builder['build']) {
    this.#run = run;
  }

  start(signal: AbortSignal): Promise<BuildOutcome> {
    this.#running = this.#run(AbortSignal.any([signal, this.#closing.signal]));
    return this.#running;
  }

  /** Aborts the build that runs, and each that is started later; resolves when none runs. */
  async end(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }
}
