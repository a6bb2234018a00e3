import type { Line } from './line.ts';

const NEWLINE = Buffer.from('\n');

/** Copying into one buffer beats a vectored write up to about this size. */
const COPY_LIMIT = 64 * 1024;

/** Where bytes go. `write` returns false when the other side does not keep up. */
export interface ByteSink {
  write(bytes: Buffer): boolean;
}

/**
 * Gathers the lines for one pipe and writes them together: a write costs more than anything else that is
 * done for a message. Lines that lie behind one another in the chunk they came in are written from there,
 * uncopied.
 */
export class Outbox {
  readonly #sink: ByteSink;
  #parts: Buffer[] = [];
  #length = 0;
  /** The run of unchanged lines at the end, not yet among the parts. */
  #run: Buffer | undefined;
  #runStart = 0;
  #runEnd = 0;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  push(line: Line): void {
    const { first, more, start, end, terminated } = line;
    if (terminated && more.length === 0 && this.#run === first && this.#runEnd === start) {
      this.#runEnd = end + 1;
      return;
    }
    this.#endRun();
    if (!terminated) {
      for (const part of line.parts()) this.#add(part);
      this.#add(NEWLINE);
    } else if (more.length === 0) this.#beginRun(first, start, end + 1);
    else {
      this.#add(first.subarray(start));
      for (const chunk of more.slice(0, -1)) this.#add(chunk);
      this.#beginRun(more[more.length - 1] as Buffer, 0, end + 1);
    }
  }

  /** Writes what was gathered. Returns false when the sink wants a pause. */
  flush(): boolean {
    this.#endRun();
    const parts = this.#parts;
    if (parts.length === 0) return true;
    const length = this.#length;
    this.#parts = [];
    this.#length = 0;
    if (parts.length === 1) return this.#sink.write(parts[0] as Buffer);
    if (length <= COPY_LIMIT) return this.#sink.write(Buffer.concat(parts, length));
    let room = true;
    for (const part of parts) room = this.#sink.write(part) && room;
    return room;
  }

  #add(part: Buffer): void {
    this.#parts.push(part);
    this.#length += part.length;
  }

  #beginRun(chunk: Buffer, start: number, end: number): void {
    this.#run = chunk;
    this.#runStart = start;
    this.#runEnd = end;
  }

  #endRun(): void {
    if (this.#run === undefined) return;
    this.#add(this.#run.subarray(this.#runStart, this.#runEnd));
    this.#run = undefined;
  }
}
