import { unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';

/*
 * The lock is a socket on which its holder listens: the system lets one process at a time do so, and ends it
 * with the process, however that ends. Who finds it taken connects, and learns from the end of the connection
 * that the lock is free.
 */

/** The outcome of a try to get a lock. */
export type Attempt =
  | { readonly kind: 'held'; readonly lock: HeldLock }
  /** Another process has it. */
  | { readonly kind: 'taken' }
  /** The system refuses locks of this name to everybody, as in a folder that cannot be written to. */
  | { readonly kind: 'unavailable' };

/** How the waiting for another holder ended. */
export type Waited<T> =
  /** The holder let go, and this is what there was to be seen before it went on. */
  | { readonly kind: 'released'; readonly seen: T }
  /** The holder is gone, perhaps before it knew of us. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'aborted' }
  | { readonly kind: 'unavailable' };

/** Who waits has so many ms to look at what the holder has left for it. */
const LOOK_MS = 1000;
/** More than the one line that is sent was sent by somebody else. */
const LONGEST_GREETING = 256;

/** What connecting says of a socket whose holder is gone, or goes just now. */
const NOBODY = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE']);

/** Tries to get the lock, without waiting. Whoever waits for it is sent `greeting`, a line without its end. */
export async function takeLock(address: string, greeting: string): Promise<Attempt> {
  const waiting = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    waiting.add(socket);
    socket.on('close', () => waiting.delete(socket));
    // Who waited may be gone at any time, and `close` follows.
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.end());
    socket.resume();
    socket.write(`${greeting}\n`);
  });
  switch (await listen(server, address)) {
    case undefined:
      return { kind: 'held', lock: new HeldLock(server, waiting) };
    case 'EADDRINUSE':
      return { kind: 'taken' };
    default:
      return { kind: 'unavailable' };
  }
}

/** A lock that is ours until it is released, or until this process ends. */
export class HeldLock {
  readonly #server: Server;
  readonly #waiting: ReadonlySet<Socket>;

  constructor(server: Server, waiting: ReadonlySet<Socket>) {
    this.#server = server;
    this.#waiting = waiting;
  }

  /** Whether somebody waits for it. */
  get isAwaited(): boolean {
    return this.#waiting.size > 0;
  }

  /** Lets others have it at once; resolves when all who waited for it have seen what there was to be seen. */
  release(): Promise<void> {
    const seen = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#waiting) socket.end();
    const late = setTimeout(() => {
      for (const socket of this.#waiting) socket.destroy();
    }, LOOK_MS);
    return seen.then(() => clearTimeout(late));
  }
}

export interface Waiting<T> {
  readonly signal: AbortSignal;
  /** Gets the line that the holder greets with. */
  greeted(greeting: string): void;
  /** Called at the release, while the holder waits for this look. */
  look(): T;
}

/** Waits until the lock's holder lets go of it or dies. The lock is anybody's then. */
export function waitForRelease<T>(
  address: string,
  { signal, greeted, look }: Waiting<T>,
): Promise<Waited<T>> {
  return new Promise((resolve) => {
    let greeting = '';
    let outcome: Waited<T> = { kind: 'gone' };
    const socket = connect(address);
    const abort = (): void => {
      outcome = { kind: 'aborted' };
      socket.destroy();
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort);
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      if (greeting.endsWith('\n') || greeting.length > LONGEST_GREETING) return;
      greeting += text;
      if (greeting.endsWith('\n')) greeted(greeting.slice(0, -1));
    });
    socket.on('end', () => {
      outcome = { kind: 'released', seen: look() };
    });
    socket.on('error', ({ code = '' }: NodeJS.ErrnoException) => {
      if (!NOBODY.has(code)) outcome = { kind: 'unavailable' };
      else if (code === 'ECONNREFUSED') clearStale(address);
    });
    socket.on('close', () => {
      signal.removeEventListener('abort', abort);
      resolve(outcome);
    });
  });
}

/** The name of a lock's socket. `folder` is the user's private one. */
export function lockAddress(folder: string | undefined, name: string): string | undefined {
  switch (process.platform) {
    // Names in the abstract space leave no file behind.
    case 'linux':
      return `\0mcp-dev-${process.getuid?.()}-${name}`;
    case 'win32':
      return `\\\\.\\pipe\\mcp-dev-${process.env.USERNAME}-${name}`;
    default:
      return folder && `${folder}/${name}.sock`;
  }
}

/** Resolves with the code of the error, if there is one. */
function listen(server: Server, address: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    // It stays for what comes later: a waiter that could not be let in tries again by itself.
    server.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? 'unknown'));
    server.listen(address, () => resolve(undefined));
  });
}

/**
 * Removes a socket file that a killed holder has left. Two that do so at once may both get the lock then: they
 * build twice, as they would without it.
 */
function clearStale(address: string): void {
  if (!address.startsWith('/')) return;
  try {
    unlinkSync(address);
  } catch (error) {
    // Somebody else was faster, or it stays: then the lock cannot be had, and the tries for it end soon.
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
  }
}
