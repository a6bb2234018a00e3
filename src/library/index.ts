/**
 * `mcp-dev` as a library: what the command does, in a program's own process.
 *
 * @module
 */

import { type DevEvent, eventsOf } from '../journal/event.ts';
import type { LogLine, LogSource } from '../journal/log-ring.ts';
import type { ServerStatus } from '../reload/status.ts';
import { DevSession, type DevSessionEvents } from './dev-session.ts';
import { configOf, type DevServerOptions } from './options.ts';

export type {
  Connection,
  DevEvent,
  ErrorText,
  NamedDifferences,
  ReloadEvent,
  StampedEvent,
} from '../journal/event.ts';
export type { PastReload } from '../journal/journal.ts';
export type { LogLine, LogSource } from '../journal/log-ring.ts';
export type { ServerState, ServerStatus } from '../reload/status.ts';
export type { Phases, Trigger } from '../report/report.ts';
export type { DevSessionEvents as DevServerEvents } from './dev-session.ts';
export { type DevServerOptions, OptionsError } from './options.ts';

/** How a reload ended: it did, the server crashed, or it was not over in the time that there was. */
export type ReloadResult = Extract<DevEvent, { event: 'reload' | 'crash' }> | { readonly event: 'pending' };

/** One server behind one session, from `createDevServer` until `close` or the client's goodbye. */
export interface DevServer {
  /**
   * Calls `listener` with every event of that name from now on, until the function that it returns is called. A
   * listener is called after what happened, never in the middle of it.
   */
  on<E extends keyof DevSessionEvents>(event: E, listener: (event: DevSessionEvents[E]) => void): () => void;
  /**
   * Builds and swaps now, or joins the reload that is on its way. Resolves when it has ended, with `pending` after
   * `timeout` ms or when the session is over before. `reason` stands in the log.
   */
  reload(options?: { readonly reason?: string; readonly timeout?: number }): Promise<ReloadResult>;
  /** Where things stand. */
  status(): ServerStatus;
  /** The last lines of the log that match, the oldest first; 100 unless `lines` says otherwise. */
  logs(query?: {
    readonly source?: LogSource;
    readonly generation?: number;
    readonly lines?: number;
  }): readonly LogLine[];
  /** Ends the session and every process of the server. */
  close(): Promise<void>;
  /** Resolves when the session is over, whoever ended it. */
  readonly closed: Promise<void>;
}

const LOG_LINES = 100;

/** One for all sessions, as several may say things on the same stream. */
const passOver = (): void => {};

/**
 * Starts a server behind a session on `stdin` and `stdout`, as `mcp-dev` does. Resolves just before its first event.
 * Rejects with an `OptionsError`.
 */
export async function createDevServer(options: DevServerOptions): Promise<DevServer> {
  const { stdin = process.stdin, stdout = process.stdout, stderr = process.stderr } = options;
  const config = await configOf(options);
  // The session listens when it has started; what goes wrong before shows in the streams, and is no error of the program's.
  for (const stream of [stdin, stdout, stderr]) {
    if (!stream.listeners('error').includes(passOver)) stream.on('error', passOver);
  }
  const session = await DevSession.open(config, { stdin, stdout, stderr });
  // Whoever listens as soon as this has resolved hears everything.
  setImmediate(() => session.start());
  const closed = new Promise<void>((resolve) => {
    session.on('session', ({ state }) => state === 'ended' && resolve());
  });
  void session.clientGone.then(async () => {
    await session.lastAnswers();
    await session.close();
  });
  return {
    on: (event, listener) => session.on(event, (happened) => queueMicrotask(() => listener(happened))),
    async reload({ reason = 'reload()', timeout = Number.POSITIVE_INFINITY } = {}) {
      const cut = closed.then(() => ({ event: 'pending' }) as const);
      const outcome = await Promise.race([session.reload(reason, timeout), cut]);
      if (outcome.event === 'pending') return outcome;
      const [event] = eventsOf(outcome) as readonly [Exclude<ReloadResult, { event: 'pending' }>];
      return event;
    },
    status: () => session.status(),
    logs: ({ lines = LOG_LINES, ...query } = {}) => session.logs({ ...query, lines }),
    close: () => session.close(),
    closed,
  };
}
