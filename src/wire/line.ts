import { isDeeperThan } from './scan.ts';

const NEWLINE = 0x0a;

/** Whatever is nested more deeply than this cannot be compared or written without running out of stack. */
const MOST_DEPTH = 1000;

/** What follows the first chunk of a line that lies in one. */
const WHOLE: readonly Buffer[] = [];

/**
 * One message as it came over a pipe: the bytes of a line without its newline, undecoded.
 *
 * A line that arrived in one chunk is a window on that chunk (nothing is copied); one that arrived in several
 * keeps them as they are and is joined only when somebody has to look at all of it.
 */
export class Line {
  /** The chunk that it begins in, counted from `start`. */
  readonly first: Buffer;
  /** The chunks that it goes on in, as nearly no line does; `end` counts in the last one. */
  readonly more: readonly Buffer[];
  readonly start: number;
  readonly end: number;
  /** True when the byte behind the line, in the last chunk, is its newline: it can be written without a copy. */
  readonly terminated: boolean;
  #joined: Buffer | undefined;

  constructor(first: Buffer, more: readonly Buffer[], start: number, end: number, terminated: boolean) {
    this.first = first;
    this.more = more;
    this.start = start;
    this.end = end;
    this.terminated = terminated;
  }

  /** A line of our own making. */
  static of(text: string | Buffer): Line {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    return Line.window(bytes, 0, bytes.length);
  }

  /** A part of a buffer as a line. */
  static window(bytes: Buffer, start: number, end: number): Line {
    return new Line(bytes, WHOLE, start, end, false);
  }

  /** Makes a line of a JSON value; the text has no newline, as `JSON.stringify` escapes them. */
  static json(value: unknown): Line {
    return Line.of(JSON.stringify(value));
  }

  /** Length in bytes. */
  get length(): number {
    const { first, more, start, end } = this;
    if (more.length === 0) return end - start;
    let length = first.length - start + end;
    for (let index = 0; index < more.length - 1; index++) length += (more[index] as Buffer).length;
    return length;
  }

  /** All bytes in one piece. Copies once if the line came in several chunks. */
  bytes(): Buffer {
    this.#joined ??=
      this.more.length === 0 ? this.first.subarray(this.start, this.end) : Buffer.concat(this.parts());
    return this.#joined;
  }

  /** The bytes piece by piece, none of them copied. */
  parts(): Buffer[] {
    const { first, more, start, end } = this;
    const last = more.at(-1);
    if (last === undefined) return [first.subarray(start, end)];
    return [first.subarray(start), ...more.slice(0, -1), last.subarray(0, end)];
  }

  /** Whether this ASCII text, of few characters, lies in it somewhere. Nothing is joined for that. */
  includes(text: string): boolean {
    const { first, more, start, end } = this;
    if (more.length === 0) return first.subarray(start, end).includes(text, 0, 'latin1');
    const near = text.length - 1;
    let before: Buffer = Buffer.alloc(0);
    for (const part of this.parts()) {
      if (part.includes(text)) return true;
      if (before.length > 0 && Buffer.concat([before, part.subarray(0, near)]).includes(text)) return true;
      before = part.length >= near ? part.subarray(part.length - near) : Buffer.concat([before, part]);
    }
    return false;
  }

  /** The line for keeping: a short one that came with much else is copied, so that the rest can go. */
  alone(): Line {
    let pinned = this.first.buffer.byteLength;
    for (const chunk of this.more) pinned += chunk.buffer.byteLength;
    return pinned <= 4 * this.length ? this : Line.of(Buffer.from(this.bytes()));
  }

  /** The line as text. */
  text(): string {
    return this.bytes().toString('utf8');
  }

  /**
   * The line parsed; `undefined` when it is no JSON: lines are passed on by a look at their outermost members,
   * so that one with a head may still hold what no parser takes (`NaN`, for example). What is nested more than
   * 1000 deep is taken for none either.
   */
  parse(): unknown {
    if (isDeeperThan(this.bytes(), MOST_DEPTH)) return undefined;
    try {
      return JSON.parse(this.text());
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }
}

/** What a splitter finds: a line for each newline, but for those that are too long to keep. */
export interface LineSink {
  line(line: Line): void;
  /** A line has grown past the limit of so many bytes, and may have no end: it is thrown away up to its newline. */
  overflow(limit: number): void;
}

/**
 * Splits a byte stream into lines. Splitting happens on byte 0x0A before any decoding, so a character that
 * is spread over two chunks stays whole; each chunk is searched once, however long the line gets.
 */
export class LineSplitter {
  readonly #sink: LineSink;
  readonly #limit: number;
  #pending: Buffer[] = [];
  #pendingLength = 0;
  #dropped = 0;

  /** @param limit longest line in bytes that is kept */
  constructor(sink: LineSink, limit = 256 * 1024 * 1024) {
    this.#sink = sink;
    this.#limit = limit;
  }

  push(chunk: Buffer): void {
    const { length } = chunk;
    let start = 0;
    while (start < length) {
      const newline = chunk.indexOf(NEWLINE, start);
      if (newline === -1) {
        this.#keep(chunk, start);
        return;
      }
      this.#complete(chunk, start, newline);
      start = newline + 1;
    }
  }

  #keep(chunk: Buffer, start: number): void {
    const length = chunk.length - start;
    if (this.#dropped > 0) {
      this.#dropped += length;
      return;
    }
    if (this.#pendingLength + length > this.#limit) {
      this.#dropped = this.#pendingLength + length;
      this.#pending = [];
      this.#pendingLength = 0;
      this.#sink.overflow(this.#limit);
      return;
    }
    this.#pending.push(start === 0 ? chunk : chunk.subarray(start));
    this.#pendingLength += length;
  }

  #complete(chunk: Buffer, start: number, newline: number): void {
    if (this.#dropped > 0) {
      this.#dropped = 0;
      return;
    }
    if (this.#pendingLength === 0) {
      this.#sink.line(new Line(chunk, WHOLE, start, newline, true));
      return;
    }
    const [first, ...more] = this.#pending as [Buffer, ...Buffer[]];
    more.push(chunk);
    this.#pending = [];
    this.#pendingLength = 0;
    this.#sink.line(new Line(first, more, 0, newline, true));
  }
}
