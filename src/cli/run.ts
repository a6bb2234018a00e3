import { constants } from 'node:os';
import { isatty } from 'node:tty';
import type { RunConfig } from '../config/run-config.ts';
import type { Subject } from '../control/answering.ts';
import { Presence } from '../control/presence.ts';
import { CONTROL_PROTOCOL } from '../control/protocol.ts';
import { type StopPolicy, sessionEndPolicy } from '../generation/stop.ts';
import { DevSession, type Farewell } from '../library/dev-session.ts';
import { packageVersion } from '../system/package.ts';
import { catchOwnCrash } from './own-crash.ts';
import { type Reason, SessionEnd } from './session-end.ts';
import { flushed } from './stdio.ts';
import { attachTerminal } from './terminal.ts';

const FLUSH_MS = 500;
const PARENT_CHECK_MS = 1000;
/** By then a client has shaken hands and read its lists, and the server may have been busy for a while. */
const KEEP_CODE_AFTER_MS = 2000;

/** The run command: one server behind one session on stdin and stdout. Resolves with the exit code. */
export async function run(config: RunConfig, keepCode: () => void): Promise<number> {
  const end = new SessionEnd();
  const terminal = config.terminal || isatty(0) ? attachTerminal(config, end) : undefined;
  // Who sits at a terminal has keys for what the tools do.
  const offered = terminal === undefined ? config : { ...config, tools: false };
  const session = await DevSession.open(offered, terminal?.streams ?? process);
  const presence = new Presence(
    () => subjectOf(config, session),
    (text) => session.reporter.detail(text),
  );
  // However this process ends, but for SIGKILL: nothing of it stays behind.
  process.on('exit', () => presence.vanish());
  catchOwnCrash(() => session.killNow());
  catchSignals(config, session, end);
  void session.clientGone.then((farewell) => clientGone(session, end, farewell));
  session.start();
  if (terminal !== undefined) {
    terminal.begin(session);
    presence.appear();
  } else {
    // A client that only asks what the server is starts another process for what comes next.
    setImmediate(() => process.stdin.on('data', () => session.server.isInUse && presence.appear()));
  }
  setImmediate(() => watchParent(end));

  setTimeout(keepCode, KEEP_CODE_AFTER_MS).unref();
  const reason = await end.reached;
  presence.vanish();
  return await finish(config, session, end, reason);
}

/** What other processes see of this one. */
function subjectOf({ name, cwd, root }: RunConfig, { server, journal }: DevSession): Subject {
  const hello = {
    reply: 'hello',
    protocol: CONTROL_PROTOCOL,
    version: packageVersion(),
    name,
    cwd,
    root,
    pid: process.pid,
    startedAt: Math.round(performance.timeOrigin),
  } as const;
  return { hello, server, journal, stop: () => void process.emit('SIGTERM', 'SIGTERM') };
}

function clientGone({ reporter }: DevSession, end: SessionEnd, farewell: Farewell): void {
  if (farewell === 'silent') {
    reporter.error(
      'stdin was closed before any message came: start it from an MCP client, or with --terminal',
    );
  }
  end.because({ kind: farewell === 'silent' ? 'no-client' : 'client-closed' });
}

async function finish(
  config: RunConfig,
  session: DevSession,
  end: SessionEnd,
  reason: Reason,
): Promise<number> {
  switch (reason.kind) {
    case 'client-closed': {
      const waited = await session.lastAnswers(() => !end.isUrgent);
      const policy = sessionEndPolicy(config.signal, 'client-closed');
      await session.close({ ...policy, killAfterMs: policy.killAfterMs - waited });
      await flushed(FLUSH_MS);
      return 0;
    }
    case 'no-client':
      await session.close();
      return 2;
    case 'signal':
      await session.close(policyFor(config, reason.signal));
      await flushed(FLUSH_MS);
      return 128 + constants.signals[reason.signal];
  }
}

/** Who sends SIGTERM sends SIGKILL soon; everybody else can wait a little longer. */
function policyFor(config: RunConfig, signal: NodeJS.Signals): StopPolicy {
  return sessionEndPolicy(config.signal, signal === 'SIGTERM' ? 'sigterm' : 'client-closed');
}

function catchSignals(config: RunConfig, session: DevSession, end: SessionEnd): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (end.isUrgent) {
        // Somebody asks again: no more waiting.
        session.killNow();
        process.exit(128 + constants.signals[signal]);
      }
      end.hurry();
      // Clients close stdin first: then the end has begun, and has to be quicker now.
      if (end.isReached) void session.close(policyFor(config, signal));
      else end.because({ kind: 'signal', signal });
    });
  }
  if (process.platform !== 'win32') process.on('SIGUSR2', () => void session.reload('SIGUSR2'));
}

/** Wrappers keep our stdin open when the client has died: then our parent is another one. */
function watchParent(end: SessionEnd): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) end.because({ kind: 'client-closed' });
  }, PARENT_CHECK_MS).unref();
}
