import type { ByteSink } from '../wire/outbox.ts';

/** A pipe that knows about how many bytes wait for the other side to read. */
export class Backlog implements ByteSink {
  readonly #sink: ByteSink;
  #waiting = 0;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  write(bytes: Buffer): boolean {
    const room = this.#sink.write(bytes);
    this.#waiting = room ? 0 : this.#waiting + bytes.length;
    return room;
  }

  /** The other side has read everything. */
  drained(): void {
    this.#waiting = 0;
  }

  /** Bytes that were written since there was room for them. */
  get waiting(): number {
    return this.#waiting;
  }
}
