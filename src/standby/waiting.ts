import { execFile } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Exit } from '../generation/exit.ts';
import { type Launch, type ProcessEvents, type ServerProcess, startProcess } from '../generation/process.ts';
import { type Grounds, hold } from './grounds.ts';
import { FILES, type Ready } from './meeting.ts';

export interface WaitingOptions {
  /** A folder of its own; made, and removed at the end. */
  readonly place: string;
  /** With what makes the process wait. */
  readonly launch: Launch;
  /** The text that says what to load. */
  readonly load: string;
  /** What it takes for granted, noted before it starts. */
  readonly grounds: Grounds;
  /** It ended before its turn; the reason is one clause. */
  onLost(reason: string): void;
}

/** How a waiting process is ended: it has nothing to put in order. */
const AT_ONCE = { stdinGraceMs: 0, signal: 'SIGKILL', killAfterMs: 0 } as const;

/** Makes the pipe by which the process is told to go on, then starts the process. */
export async function startWaiting(options: WaitingOptions): Promise<Waiting> {
  mkdirSync(options.place, { mode: 0o700 });
  writeFileSync(join(options.place, FILES.load), options.load);
  const go = join(options.place, FILES.go);
  // node has no call for it.
  await promisify(execFile)('mkfifo', ['-m', '600', go]);
  // As a reader, too: opening would else wait for the other side.
  return new Waiting(options, openSync(go, constants.O_RDWR | constants.O_NONBLOCK));
}

/** A process that was started for a generation to come, and what it has loaded. */
export class Waiting {
  readonly #options: WaitingOptions;
  readonly #process: ServerProcess;
  #go: number | undefined;
  #ready: Ready | undefined;
  #events: ProcessEvents | undefined;
  #life: 'waiting' | 'ending' = 'waiting';

  constructor(options: WaitingOptions, go: number) {
    this.#options = options;
    this.#go = go;
    this.#process = startProcess(options.launch, this.#relay());
  }

  /** What it told when it had loaded everything; undefined: it is not so far. */
  get ready(): Ready | undefined {
    if (this.#ready === undefined) {
      const path = join(this.#options.place, FILES.ready);
      if (existsSync(path)) this.#ready = JSON.parse(readFileSync(path, 'utf8'));
    }
    return this.#ready;
  }

  /** Whether all that it has loaded, and takes for granted, is still as it was. */
  isFresh(ready: Ready): boolean {
    return hold(new Map(ready.files)) && hold(this.#options.grounds);
  }

  /** It goes on as this generation, and reports to `events` from now on. Only for one that is ready. */
  go(generation: number, events: ProcessEvents): ServerProcess {
    this.#events = events;
    if (this.#go !== undefined) writeSync(this.#go, `${generation}\n`);
    this.#clear();
    const process = this.#process;
    const startedAt = Date.now();
    return {
      pid: process.pid,
      startedAt,
      write: (data) => process.write(data),
      pauseOutput: () => process.pauseOutput(),
      resumeOutput: () => process.resumeOutput(),
      stop: (policy) => process.stop(policy),
      killNow: () => process.killNow(),
    };
  }

  /** Ends it; resolves when nothing of it is alive. */
  async end(): Promise<void> {
    this.#life = 'ending';
    await this.#process.stop(AT_ONCE);
    this.#clear();
  }

  killNow(): void {
    this.#process.killNow();
    this.#clear();
  }

  #clear(): void {
    if (this.#go !== undefined) closeSync(this.#go);
    this.#go = undefined;
    rmSync(this.#options.place, { recursive: true, force: true });
  }

  /** What comes before its turn is nobody's: the output of programs on the way, such as npm's banner. */
  #relay(): ProcessEvents {
    return {
      onStdout: (chunk) => this.#events?.onStdout(chunk),
      onStdoutEnd: () => this.#events?.onStdoutEnd(),
      onStderr: (chunk) => this.#events?.onStderr(chunk),
      onExit: (exit) => this.#ended(exit),
      onStdinDrain: () => this.#events?.onStdinDrain(),
      onStdinClosed: () => this.#events?.onStdinClosed(),
    };
  }

  #ended(exit: Exit): void {
    if (this.#events !== undefined) {
      this.#events.onExit(exit);
      return;
    }
    if (this.#life === 'ending') return;
    const failed = join(this.#options.place, FILES.failed);
    const reason = existsSync(failed) ? readFileSync(failed, 'utf8').split('\n', 1)[0]! : undefined;
    this.#clear();
    this.#options.onLost(reason ?? 'it ended before its turn');
  }
}
