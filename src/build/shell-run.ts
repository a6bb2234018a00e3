import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Socket } from 'node:net';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import treeKill from 'tree-kill';
import { stopwatch } from './builder.ts';
import { ProcessGroup } from './process-group.ts';

export interface ShellCommand {
  /** What the shell is given, as a person would type it. */
  readonly command: string;
  readonly cwd: string;
  /** Asked for at each build: env files may have changed since the last one. */
  env(): NodeJS.ProcessEnv;
}

/** How a shell command ended. */
export type ShellExit =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signalled'; readonly signal: NodeJS.Signals }
  | { readonly kind: 'not-started'; readonly message: string };

/** Output is complete when nothing came for this long after the exit, in ms … */
const QUIET_MS = 100;
/** … and is listened to for no longer than this, in ms: what was left behind may never be quiet. */
const LISTEN_MS = 1000;

const WINDOWS = process.platform === 'win32';

/** One run of a shell command, in a process group of its own. */
export class ShellRun {
  /** Settles at the command's exit, when all that it had printed before was delivered. Never rejects. */
  readonly ended: Promise<ShellExit>;
  readonly #child: ChildProcess | undefined;
  readonly #group: ProcessGroup | undefined;
  readonly #pipes: readonly Socket[];

  /** Starts the command; `onOutput` gets stdout and stderr in one order, until `ended`. */
  constructor(command: ShellCommand, onOutput: (chunk: Buffer) => void) {
    const started = start(command);
    if ('message' in started) {
      this.#pipes = [];
      this.ended = Promise.resolve({ kind: 'not-started', message: started.message });
      return;
    }
    const { child } = started;
    this.#child = child;
    if (child.pid !== undefined && !WINDOWS) this.#group = new ProcessGroup(child.pid);
    // Pipes of a child process are sockets; the types do not say so.
    this.#pipes = [child.stdout, child.stderr].filter((pipe) => pipe !== null) as Socket[];
    this.ended = this.#follow(child, command, onOutput);
  }

  /** The pid of the group's first process; undefined when nothing was started. */
  get leader(): number | undefined {
    return this.#child?.pid;
  }

  /** Whether a process of the command, or one that holds its output, may still be there. */
  get remains(): boolean {
    return this.#group?.signal(0) || this.#pipes.some((pipe) => !pipe.destroyed);
  }

  /** Ends every process of the group, gently first; resolves when they are gone. */
  async end(): Promise<void> {
    if (WINDOWS) {
      this.killNow();
      await this.ended;
    } else await this.#group?.end();
    for (const pipe of this.#pipes) pipe.destroy();
  }

  /** The same at once and synchronously. */
  killNow(): void {
    if (!WINDOWS) this.#group?.signal('SIGKILL');
    else if (this.#child?.pid !== undefined && this.#child.exitCode === null) {
      treeKill(this.#child.pid, 'SIGKILL');
    }
  }

  async #follow(
    child: ChildProcess,
    command: ShellCommand,
    onOutput: (chunk: Buffer) => void,
  ): Promise<ShellExit> {
    let chunks = 0;
    for (const pipe of this.#pipes) {
      pipe.on('data', (chunk: Buffer) => {
        chunks += 1;
        onOutput(chunk);
      });
    }
    const closed = new Promise<'closed'>((resolve) => child.once('close', () => resolve('closed')));
    const exit = await exitOf(child, command);
    if (exit.kind === 'not-started') return exit;

    const listening = stopwatch();
    for (let heard = -1; heard !== chunks && listening() < LISTEN_MS; ) {
      heard = chunks;
      if ((await Promise.race([closed, delay(QUIET_MS)])) === 'closed') return exit;
      // After a stall the timer comes before the pipes were looked at: give them their turn.
      await nextTurn();
    }
    // What was left behind goes on writing: reading on keeps it from dying of a closed pipe.
    for (const pipe of this.#pipes) pipe.removeAllListeners('data').resume().unref();
    return exit;
  }
}

function start({ command, cwd, env }: ShellCommand): { child: ChildProcess } | { message: string } {
  const common = {
    cwd,
    env: env(),
    stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
  };
  try {
    if (WINDOWS) return { child: spawn(command, { ...common, shell: true }) };
    // One pipe for both streams is the only way to keep their order; the inner shell reports its own
    // syntax errors there too, and counts lines as they were typed.
    const merged = ['-c', 'exec /bin/sh -c "$0" 2>&1', command];
    return { child: spawn('/bin/sh', merged, { ...common, detached: true }) };
  } catch (error) {
    // Thrown at once for what can never be started: a command that is too long, a NUL byte in it.
    return { message: (error as Error).message };
  }
}

function exitOf(child: ChildProcess, { cwd }: ShellCommand): Promise<ShellExit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      resolve(signal === null ? { kind: 'exited', code: code ?? 0 } : { kind: 'signalled', signal });
    });
    child.once('error', (error: NodeJS.ErrnoException) => {
      // The system blames the shell when the folder is what does not exist.
      const noFolder = error.code === 'ENOENT' && !existsSync(cwd);
      resolve({ kind: 'not-started', message: noFolder ? `${cwd} does not exist` : error.message });
    });
  });
}
