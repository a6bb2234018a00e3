import { stripVTControlCharacters } from 'node:util';
import type { Exit, ProcessEvents, ServerProcess } from '../generation/process.ts';
import { Tail } from '../report/tail.ts';
import { type Line, LineSplitter } from '../wire/line.ts';
import { Outbox } from '../wire/outbox.ts';
import { Backlog } from './backlog.ts';

/** What a running generation tells. */
export interface RunningEvents {
  onLine(line: Line): void;
  /** All lines of one read were told. */
  onRead(): void;
  /** A line has more than so many bytes, and is not kept. */
  onOverflow(limit: number): void;
  onStderr(chunk: Buffer): void;
  onExit(exit: Exit): void;
  /** It closed one of the pipes to us by itself. Mostly its exit follows. */
  onClosed(pipe: 'stdin' | 'stdout'): void;
  /** It takes input again after `flush` had answered false. */
  onRoom(): void;
}

/** The last words of a process that are kept for explanations. */
const LAST_LINES = 20;
const LAST_BYTES = 4096;

/** A generation's process with its pipes as lines. */
export class RunningGeneration {
  readonly process: ServerProcess;
  readonly #stdin: Backlog;
  readonly #outbox: Outbox;
  readonly #stderr = new Tail(LAST_LINES, LAST_BYTES);

  /** `start` gives the process, which reports nothing before it has returned. */
  constructor(start: (events: ProcessEvents) => ServerProcess, events: RunningEvents) {
    const splitter = new LineSplitter({
      line: (line) => events.onLine(line),
      overflow: (limit) => events.onOverflow(limit),
    });
    this.process = start({
      onStdout(chunk) {
        splitter.push(chunk);
        events.onRead();
      },
      onStdoutEnd: () => events.onClosed('stdout'),
      onStderr: (chunk) => {
        this.#stderr.push(chunk);
        events.onStderr(chunk);
      },
      onExit: (exit) => events.onExit(exit),
      onStdinDrain: () => {
        this.#stdin.drained();
        events.onRoom();
      },
      onStdinClosed: () => events.onClosed('stdin'),
    });
    this.#stdin = new Backlog(this.process);
    this.#outbox = new Outbox(this.#stdin);
  }

  /** The last lines of its stderr, without colours: they are read where none are shown. */
  get lastWords(): string {
    return stripVTControlCharacters(this.#stderr.text());
  }

  /** Bytes that it was sent and does not read. */
  get waiting(): number {
    return this.#stdin.waiting;
  }

  send(line: Line): void {
    this.#outbox.push(line);
  }

  /** Writes what was sent. False: it wants a pause, until `onRoom`. */
  flush(): boolean {
    return this.#outbox.flush();
  }
}
