import { closeSync, openSync, readSync, rmSync, statSync, write, writeSync } from 'node:fs';
import type { Line } from '../wire/line.ts';
import { type Header, isHeader, type Sender } from './format.ts';
import type { Redact } from './redact.ts';

/** Writes down every message of a session. */
export interface Recorder {
  message(from: Sender, line: Line, generation: number | undefined): void;
  /** Writes what is left, in this very call. */
  close(): void;
}

export interface RecorderOptions {
  /** absolute */
  readonly path: string;
  readonly header: () => Header;
  readonly redact: Redact;
  /** Is told once when the file cannot be written. */
  readonly onError: (message: string) => void;
}

/** When so many bytes wait for the disk, the session waits for it too: nothing may be missing. */
const MOST_WAITING = 16 * 1024 * 1024;
const NEWLINE = Buffer.from('\n');
const END = Buffer.from('}\n');

/** Why a file cannot be that of a recording, to stand after its name; undefined when it can. */
export function recordProblem(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || (stats.isFile() && stats.size === 0)) return undefined;
  if (!stats.isFile()) return 'which is no file';
  return isHeader(beginning(path)) ? undefined : 'which is there already and is no recording';
}

/**
 * Records into a file that is made, for its owner alone, when the first message comes: a client that only looks
 * whether the command is there replaces nothing. Each session has a file of its own, even where two write to one name:
 * the later one has the name.
 */
export function recorder(options: RecorderOptions): Recorder {
  let file: RecordFile | undefined;
  return {
    message(from, line, generation) {
      if (file === undefined) {
        file = new RecordFile(options);
        file.write([options.redact(Buffer.from(JSON.stringify(options.header()))), NEWLINE]);
      }
      const time = new Date().toISOString();
      const served = generation === undefined ? '' : `"generation":${generation},`;
      const head = `{"time":"${time}","from":"${from}",${served}`;
      const bytes = options.redact(line.bytes());
      if (line.parse() !== undefined) file.write([Buffer.from(`${head}"message":`), bytes, END]);
      else file.write([Buffer.from(`${head}"text":${JSON.stringify(bytes.toString())}`), END]);
    },
    close: () => file?.close(),
  };
}

/** A file that is written behind the session's back: one write at a time, with all that was gathered meanwhile. */
class RecordFile {
  readonly #path: string;
  readonly #onError: (message: string) => void;
  readonly #file: number | undefined;
  #waiting: Buffer[] = [];
  #waitingLength = 0;
  /** Where in the file the next byte goes that is not being written. */
  #position = 0;
  #writing: { readonly bytes: Buffer; readonly position: number } | undefined;
  #isScheduled = false;
  /** `over`: nothing more is written, and the file is closed, or will be when the last write has ended. */
  #life: 'open' | 'over' = 'open';

  constructor({ path, onError }: RecorderOptions) {
    this.#path = path;
    this.#onError = onError;
    try {
      rmSync(path, { force: true });
      this.#file = openSync(path, 'wx', 0o600);
    } catch (error) {
      this.#fail(error as NodeJS.ErrnoException);
    }
  }

  write(parts: readonly Buffer[]): void {
    if (this.#life === 'over') return;
    for (const part of parts) {
      this.#waiting.push(part);
      this.#waitingLength += part.length;
    }
    if (this.#waitingLength > MOST_WAITING) this.#writeNow();
    else if (!this.#isScheduled && this.#writing === undefined) {
      this.#isScheduled = true;
      // The messages of one read, and what they bring about, come together.
      setImmediate(() => {
        this.#isScheduled = false;
        this.#writeNext();
      });
    }
  }

  close(): void {
    if (this.#life === 'open') this.#writeNow();
    this.#end();
  }

  #writeNext(): void {
    if (this.#life === 'over' || this.#file === undefined || this.#waitingLength === 0) return;
    const bytes = this.#take();
    const position = this.#position;
    this.#position += bytes.length;
    this.#writing = { bytes, position };
    write(this.#file, bytes, 0, bytes.length, position, (error, count) => {
      this.#writing = undefined;
      if (this.#life === 'over') this.#closeFile();
      else if (error !== null) this.#fail(error);
      else {
        if (count < bytes.length) this.#writeAll(bytes.subarray(count), position + count);
        this.#writeNext();
      }
    });
  }

  /** Writes everything in this very call; what is being written already is written once more, to the same place. */
  #writeNow(): void {
    if (this.#writing !== undefined) this.#writeAll(this.#writing.bytes, this.#writing.position);
    const bytes = this.#take();
    this.#writeAll(bytes, this.#position);
    this.#position += bytes.length;
  }

  #writeAll(bytes: Buffer, position: number): void {
    try {
      for (let done = 0; done < bytes.length && this.#file !== undefined && this.#life === 'open'; ) {
        done += writeSync(this.#file, bytes, done, bytes.length - done, position + done);
      }
    } catch (error) {
      this.#fail(error as NodeJS.ErrnoException);
    }
  }

  #take(): Buffer {
    const bytes = Buffer.concat(this.#waiting, this.#waitingLength);
    this.#waiting = [];
    this.#waitingLength = 0;
    return bytes;
  }

  #fail(error: NodeJS.ErrnoException): void {
    if (error.code === undefined) throw error;
    this.#end();
    this.#onError(`cannot write the recording ${this.#path}: ${error.message}`);
  }

  #end(): void {
    if (this.#life === 'over') return;
    this.#life = 'over';
    this.#take();
    if (this.#writing === undefined) this.#closeFile();
  }

  #closeFile(): void {
    if (this.#file !== undefined) closeSync(this.#file);
  }
}

function beginning(path: string): string {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(64);
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(file);
  }
}
