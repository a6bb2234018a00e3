import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { Family, generationMark } from '../generation/descendants.ts';
import { type Exit, explainStartFailure, type Launch } from '../generation/exit.ts';
import { spawnServer } from '../generation/spawn.ts';
import { Tail } from '../report/tail.ts';
import type { ProcessRow } from '../system/process-table.ts';

/** What is left of a process, some time after its stdin was closed. */
export interface Ending {
  /** Undefined when it runs on. */
  readonly exit: Exit | undefined;
  /** From the closing of stdin to the exit. */
  readonly ms: number;
  /** What it had started and left running. */
  readonly leftOver: readonly ProcessRow[];
}

const LOOK_MS = 25;
const LAST_OUTPUT_MS = 100;
/** A process that SIGKILL does not end in this time hangs in the kernel. */
const GIVE_UP_MS = 1000;
const LAST_LINES = 20;
const LAST_BYTES = 4096;

/**
 * One process of the server as a client starts it, which is left to itself: it is only told that its stdin is
 * closed, and then watched. What it has started is known however it left.
 */
export class BareProcess {
  /** Its first process ended, or could not be started. */
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #family: Family | undefined;
  readonly #stdoutEnded: Promise<void>;
  readonly #stderr = new Tail(LAST_LINES, LAST_BYTES);
  #exit: Exit | undefined;

  constructor(launch: Launch, ports: { onStdout(chunk: Buffer): void; onStderr(chunk: Buffer): void }) {
    const mark = generationMark();
    this.#child = spawnServer(launch, mark);
    const child = this.#child;
    this.#family = child.pid === undefined ? undefined : new Family(child.pid, mark);
    this.exited = new Promise((resolve) => {
      const end = (exit: Exit): void => {
        this.#exit = exit;
        this.#family?.leaderEnded();
        resolve(exit);
      };
      child.once('exit', (code, signal) => end({ kind: 'exited', code, signal }));
      child.once('error', (error) => {
        end({ kind: 'not-started', message: explainStartFailure(launch, error) });
      });
    });
    this.#stdoutEnded = new Promise((resolve) => child.stdout?.once('close', () => resolve()));
    // A broken pipe is no fault of ours: the exit tells.
    for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe?.on('error', () => {});
    child.stdout?.on('data', (chunk: Buffer) => ports.onStdout(chunk));
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr.push(chunk);
      ports.onStderr(chunk);
    });
  }

  /** Undefined while it runs. */
  get exit(): Exit | undefined {
    return this.#exit;
  }

  /** The last lines of its stderr, without colours. */
  get lastWords(): string {
    return stripVTControlCharacters(this.#stderr.text());
  }

  write(bytes: Buffer): void {
    if (this.#child.stdin.writable) this.#child.stdin.write(bytes);
  }

  /** Closes its stdin and watches for so long, or until nothing of it is left. */
  async end(limitMs: number): Promise<Ending> {
    // Who belongs to it is seen as long as its parents live.
    await this.#family?.survey();
    const start = performance.now();
    this.#child.stdin.end();
    const exit = await within(this.exited, limitMs);
    const ms = Math.round(performance.now() - start);
    if (exit === undefined) return { exit, ms, leftOver: [] };
    return { exit, ms, leftOver: await this.#leftOver(start + limitMs) };
  }

  /** Resolves when its stdout was read to the end, or soon, as somebody else may keep that open. */
  async lastOutput(): Promise<void> {
    await within(this.#stdoutEnded, LAST_OUTPUT_MS);
  }

  /** Ends all of it; resolves when that is gone, or even SIGKILL does not help. */
  async kill(): Promise<void> {
    this.killNow();
    const giveUp = performance.now() + GIVE_UP_MS;
    await within(this.exited, GIVE_UP_MS);
    await this.#leftOver(giveUp);
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  /** SIGKILL to all of it in this very call. */
  killNow(): void {
    this.#family?.killNow();
  }

  /** Who is alive at that time of `performance.now()`; answers sooner when nobody is. */
  async #leftOver(until: number): Promise<readonly ProcessRow[]> {
    for (;;) {
      const rows = (await this.#family?.survey()) ?? [];
      if (rows.length === 0 || performance.now() >= until) return rows;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }
}

/** What the promise resolves with, or undefined after so long. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
