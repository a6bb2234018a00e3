import { closeSync, constants, openSync, statSync, writeSync } from 'node:fs';
import { type DevEvent, stamped } from '../journal/event.ts';
import type { Redact } from '../recording/redact.ts';
import type { LogSink } from './reporter.ts';

/** Where events are written, one JSON object a line. */
export interface EventFile {
  write(event: DevEvent): void;
  /** Writes what can be written without waiting, and closes the file. */
  close(): void;
}

export interface EventFileOptions {
  /** A file, which is appended to, a named pipe or a device; absolute. */
  readonly path: string;
  /** The name of the server. */
  readonly server: string;
  readonly redact: Redact;
  /** Our own stderr, in case that this is what the path names. */
  readonly stderr: LogSink;
  /** Is told once when the file cannot be written, and each time that events begin to be lost. */
  readonly onError: (message: string) => void;
}

/** Our stderr under its other names. It may be a socket, which cannot be opened by a name. */
const STDERR = ['/dev/stderr', '/dev/fd/2', '/proc/self/fd/2'];
/** Who does not read so many bytes of events loses those that follow. */
const MOST_WAITING = 1024 * 1024;
/** A pipe that is full is tried again after so many ms. */
const AGAIN_MS = 50;

/**
 * Opens a target of events. It never makes anybody wait: a named pipe may have no reader yet, or one that does not
 * keep up. A target that cannot be written is reported once, and the session goes on without it.
 */
export function eventFile(options: EventFileOptions): EventFile {
  const { path, server, redact, stderr } = options;
  const lineOf = (event: DevEvent): Buffer =>
    redact(Buffer.from(`${JSON.stringify(stamped(event, server))}\n`));
  if (STDERR.includes(path)) {
    return { write: (event) => stderr.write(lineOf(event).toString()), close() {} };
  }
  const target = new Target(path, options.onError);
  return { write: (event) => target.write(lineOf(event)), close: () => target.close() };
}

/** A file that is written without waiting; what does not fit into a pipe waits for room in it. */
class Target {
  readonly #path: string;
  readonly #onError: (message: string) => void;
  /** Undefined when it cannot be written, or not any more. */
  #file: number | undefined;
  #waiting: Buffer[] = [];
  #waitingLength = 0;
  #timer: NodeJS.Timeout | undefined;
  #keepsUp = true;

  constructor(path: string, onError: (message: string) => void) {
    this.#path = path;
    this.#onError = onError;
    try {
      this.#file = openSync(path, flagsFor(path));
    } catch (error) {
      this.#fail(error);
    }
  }

  write(line: Buffer): void {
    if (this.#file === undefined) return;
    if (this.#waitingLength > MOST_WAITING) {
      if (this.#keepsUp) this.#onError(`nobody reads the events in ${this.#path}: some are lost`);
      this.#keepsUp = false;
      return;
    }
    this.#waiting.push(line);
    this.#waitingLength += line.length;
    if (this.#timer === undefined) this.#flush();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#flush();
    clearTimeout(this.#timer);
    this.#closeFile();
  }

  #flush(): void {
    this.#timer = undefined;
    if (this.#file === undefined) return;
    try {
      for (let [line] = this.#waiting; line !== undefined; [line] = this.#waiting) {
        const written = writeSync(this.#file, line);
        this.#waitingLength -= written;
        if (written < line.length) this.#waiting[0] = line.subarray(written);
        else this.#waiting.shift();
      }
      this.#keepsUp = true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') this.#fail(error);
      else this.#timer = setTimeout(() => this.#flush(), AGAIN_MS).unref();
    }
  }

  #fail(error: unknown): void {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    this.#closeFile();
    this.#onError(`cannot write the events to ${this.#path}: ${message}`);
  }

  #closeFile(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

/** To open a named pipe for writing alone would wait for its reader, or fail where there is none. */
function flagsFor(path: string): number {
  const { O_APPEND, O_CREAT, O_NONBLOCK = 0, O_RDWR, O_WRONLY } = constants;
  const isPipe = statSync(path, { throwIfNoEntry: false })?.isFIFO() === true;
  return isPipe ? O_RDWR | O_NONBLOCK : O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK;
}
