import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { Family, generationMark } from './descendants.ts';
import { type Exit, explainStartFailure, type Launch } from './exit.ts';
import { spawnServer } from './spawn.ts';
import { type StopPolicy, StopSequence } from './stop.ts';

export type { Exit, Launch } from './exit.ts';

/** What a process reports. `onExit` comes once and last; `onStdoutEnd` comes once before it, if it was started. */
export interface ProcessEvents {
  onStdout(chunk: Buffer): void;
  /** No more will come from stdout: the server closed it or ended. */
  onStdoutEnd(): void;
  onStderr(chunk: Buffer): void;
  /**
   * The process ended, and all that it had written was delivered. A helper of it may keep the pipes open, so this
   * waits for them 100 ms at most; while the output is paused the clock stands still, since what was read but
   * not taken yet may be the answer to a request.
   */
  onExit(exit: Exit): void;
  /** After a `write` that answered false: the server can take more, or it closed its stdin and never will. */
  onStdinDrain(): void;
  /** The server closed its stdin, which is seen when something is written to it, and lives on. */
  onStdinClosed(): void;
}

/** One process of the server, in its own process group. */
export interface ServerProcess {
  /** Undefined when it could not be started. Not to be signalled from outside: after the exit it may be another's. */
  readonly pid: number | undefined;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /**
   * Takes all of the data; false asks to wait for `onStdinDrain` before more. What comes after the server closed
   * its stdin, or ended, is dropped without an error: the exit tells.
   */
  write(data: Buffer | string): boolean;
  /** Holds back `onStdout` (nothing else), until the server itself has to wait in the end. */
  pauseOutput(): void;
  resumeOutput(): void;
  /**
   * Ends the process and everything that came from it; resolves with the leader's exit when nothing of it is
   * alive. Only for such as even SIGKILL does not end it resolves 1 s after that. Calling it again is harmless,
   * and a more urgent policy overtakes the one in progress. Left-overs of a process that ended by itself are
   * ended unasked; `stop` then tells when they are gone.
   */
  stop(policy: StopPolicy): Promise<Exit>;
  /** SIGKILL to all of it in this very call, for the exit path of our own process. */
  killNow(): void;
}

/** How long open pipes may delay the news of an exit. */
const PIPE_GRACE_MS = 100;

/**
 * Starts the server without a shell. Never throws for a command that can't be started: that is an exit of the
 * kind `not-started`, reported like any other after this has returned.
 */
export function startProcess(launch: Launch, events: ProcessEvents): ServerProcess {
  const startedAt = Date.now();
  const mark = generationMark();
  let child: ChildProcessWithoutNullStreams;
  try {
    child = spawnServer(launch, mark);
  } catch (error) {
    if (!isStartFailure(error)) throw error;
    return notStarted(launch, Promise.resolve(error), startedAt, events);
  }
  const { pid } = child;
  if (pid === undefined) {
    const failure = new Promise<Error>((resolve) => child.once('error', resolve));
    return notStarted(launch, failure, startedAt, events);
  }
  return new RunningProcess(child, launch, new Family(pid, mark), startedAt, events);
}

/** Most failures come as an event, but E2BIG and the like are thrown, and so is an argument with a NUL byte. */
function isStartFailure(error: unknown): error is NodeJS.ErrnoException {
  if (!(error instanceof Error)) return false;
  const { code, syscall } = error as NodeJS.ErrnoException;
  return syscall?.startsWith('spawn') === true || code === 'ERR_INVALID_ARG_VALUE';
}

function notStarted(
  launch: Launch,
  failure: Promise<NodeJS.ErrnoException>,
  startedAt: number,
  events: ProcessEvents,
): ServerProcess {
  const exit = failure.then((error): Exit => {
    return { kind: 'not-started', message: explainStartFailure(launch, error) };
  });
  void exit.then((known) => events.onExit(known));
  return {
    pid: undefined,
    startedAt,
    write: () => true,
    pauseOutput() {},
    resumeOutput() {},
    stop: () => exit,
    killNow() {},
  };
}

/** Where the news of the exit stands: it waits for the pipes, and the clock of that wait for the consumer. */
type News =
  | { readonly kind: 'alive' }
  | { readonly kind: 'waiting'; readonly exit: Exit; readonly timer: NodeJS.Timeout }
  | { readonly kind: 'waiting-for-consumer'; readonly exit: Exit }
  | { readonly kind: 'told' };

class RunningProcess implements ServerProcess {
  readonly pid: number | undefined;
  readonly startedAt: number;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #events: ProcessEvents;
  readonly #sequence: StopSequence;
  readonly #openPipes = new Set<'stdout' | 'stderr'>(['stdout', 'stderr']);
  #output: 'flowing' | 'paused' = 'flowing';
  #news: News = { kind: 'alive' };

  constructor(
    child: ChildProcessWithoutNullStreams,
    launch: Launch,
    family: Family,
    startedAt: number,
    events: ProcessEvents,
  ) {
    this.pid = child.pid;
    this.startedAt = startedAt;
    this.#child = child;
    this.#events = events;
    this.#sequence = new StopSequence(family, () => child.stdin.end());

    child.stdin.on('drain', () => events.onStdinDrain());
    // A server that closed its stdin but lives takes nothing any more, and nobody should wait for it. A pipe that
    // broke because the server ended is none of this, but the exit may be known a moment later only.
    child.stdin.on('close', () => {
      setTimeout(() => this.#stdinClosed(), PIPE_GRACE_MS).unref();
    });
    for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe.on('error', ignoreBrokenPipe);
    // Taken by read() and not by 'data': at the exit node sets a paused stream flowing again.
    child.stdout.on('readable', () => this.#take());
    child.stdout.on('end', () => this.#pipeEnded('stdout'));
    child.stderr.on('data', (chunk: Buffer) => events.onStderr(chunk));
    child.stderr.on('end', () => this.#pipeEnded('stderr'));
    child.once('exit', (code, signal) => this.#ended({ kind: 'exited', code, signal }));
    // Only on Windows: cmd.exe was started and could not find the command.
    child.once('error', (error) => {
      this.#ended({ kind: 'not-started', message: explainStartFailure(launch, error) });
    });
  }

  write(data: Buffer | string): boolean {
    return this.#child.stdin.writable ? this.#child.stdin.write(data) : true;
  }

  pauseOutput(): void {
    this.#output = 'paused';
  }

  resumeOutput(): void {
    this.#output = 'flowing';
    if (this.#news.kind === 'waiting-for-consumer') this.#waitForPipes(this.#news.exit);
    this.#take();
  }

  stop(policy: StopPolicy): Promise<Exit> {
    return this.#sequence.stop(policy);
  }

  killNow(): void {
    this.#sequence.killNow();
  }

  #stdinClosed(): void {
    if (this.#news.kind !== 'alive') return;
    this.#events.onStdinDrain();
    if (!this.#child.stdin.writableEnded) this.#events.onStdinClosed();
  }

  #take(): void {
    while (this.#output === 'flowing') {
      const chunk: Buffer | null = this.#child.stdout.read();
      if (chunk === null) return;
      this.#events.onStdout(chunk);
    }
  }

  #ended(exit: Exit): void {
    this.#sequence.leaderEnded(exit);
    this.#waitForPipes(exit);
    this.#tellWhenDelivered();
  }

  #waitForPipes(exit: Exit): void {
    // The timer may be late after busy moments, and timers run before pipes are read: one more look at them.
    const timer = setTimeout(() => setImmediate(() => this.#cutPipes()), PIPE_GRACE_MS);
    this.#news = { kind: 'waiting', exit, timer };
  }

  #pipeEnded(pipe: 'stdout' | 'stderr'): void {
    if (!this.#openPipes.delete(pipe)) return;
    if (pipe === 'stdout') this.#events.onStdoutEnd();
    this.#tellWhenDelivered();
  }

  #cutPipes(): void {
    if (this.#news.kind !== 'waiting') return;
    if (this.#output === 'paused' && this.#openPipes.has('stdout')) {
      this.#news = { kind: 'waiting-for-consumer', exit: this.#news.exit };
      return;
    }
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
    this.#pipeEnded('stdout');
    this.#pipeEnded('stderr');
  }

  #tellWhenDelivered(): void {
    const news = this.#news;
    if (this.#openPipes.size > 0) return;
    switch (news.kind) {
      case 'waiting':
        clearTimeout(news.timer);
        break;
      case 'waiting-for-consumer':
        break;
      case 'alive':
      case 'told':
        return;
    }
    this.#news = { kind: 'told' };
    this.#events.onExit(news.exit);
  }
}

/** The other end of the pipe is gone. That is no fault of ours, and the exit will tell. */
function ignoreBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET' && error.code !== 'EOF') throw error;
}
