import { constants } from 'node:os';
import type { RunConfig } from '../config/run-config.ts';
import type { Subject } from '../control/answering.ts';
import { Presence } from '../control/presence.ts';
import { CONTROL_PROTOCOL } from '../control/protocol.ts';
import { type StopPolicy, sessionEndPolicy } from '../generation/stop.ts';
import { Journal } from '../journal/journal.ts';
import { DevServer } from '../reload/dev-server.ts';
import { logFile } from '../report/log-file.ts';
import { Reporter } from '../report/reporter.ts';
import { packageVersion } from './help.ts';
import { type Reason, SessionEnd } from './session-end.ts';
import { flushed, ownStderr } from './stdio.ts';
import { attachTerminal } from './terminal.ts';

/** How long a client that closed our stdin may still wait for answers that are on their way. */
const LAST_ANSWERS_MS = 1000;
const FLUSH_MS = 500;
const PARENT_CHECK_MS = 1000;

/** The run command: one server behind one session on stdin and stdout. Resolves with the exit code. */
export async function run(config: RunConfig): Promise<number> {
  const stderr = ownStderr();
  const complain = (message: string): void => stderr.write(`mcp-dev ${message}\n`);
  const log = config.logFile === undefined ? undefined : logFile(config.logFile, complain);
  const { root, verbosity, color } = config;
  const journal = new Journal();
  const reporter = new Reporter({ root, verbosity, color, stderr, log, logs: journal.logs });
  const terminal = config.terminal || process.stdin.isTTY === true;
  const end = new SessionEnd();

  const onStdout = terminal ? undefined : process.stdout;
  const attached = terminal ? attachTerminal(config, reporter, end) : undefined;
  const client = attached?.client ?? {
    write: (bytes: Buffer) => process.stdout.write(bytes),
    pause: () => process.stdin.pause(),
    resume: () => process.stdin.resume(),
  };
  // Who sits at a terminal has keys for what the tools do.
  const offered = terminal ? { ...config, tools: false } : config;
  const server = await DevServer.open(offered, {
    client,
    serverStderr: stderr.writeBytes,
    reporter,
    journal,
  });
  const presence = new Presence(
    () => subjectOf(config, server, journal),
    (text) => reporter.detail(text),
  );
  // However this process ends, but for SIGKILL: nothing of it stays behind.
  process.on('exit', () => presence.vanish());
  catchOwnCrash(server, complain);
  onStdout?.on('drain', () => server.clientHasRoom());
  // A client that does not read any more is gone.
  onStdout?.on('error', () => end.because({ kind: 'client-closed' }));
  catchSignals(config, server, end);
  watchParent(end);
  server.start();
  if (attached === undefined) readClient(server, presence, end, reporter);
  else {
    attached.begin(server);
    presence.appear();
  }

  const reason = await end.reached;
  presence.vanish();
  return await finish(config, server, end, reason);
}

/** What other processes see of this one. */
function subjectOf({ name, cwd, root }: RunConfig, server: DevServer, journal: Journal): Subject {
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

function readClient(server: DevServer, presence: Presence, end: SessionEnd, reporter: Reporter): void {
  let silent = true;
  process.stdin.on('data', (chunk: Buffer) => {
    silent = false;
    server.receive(chunk);
    // A client that only asks what the server is starts another process for what comes next.
    if (server.isInUse) presence.appear();
  });
  process.stdin.on('error', () => end.because({ kind: 'client-closed' }));
  process.stdin.on('end', () => {
    if (silent) {
      reporter.error(
        'stdin was closed before any message came: start it from an MCP client, or with --terminal',
      );
    }
    end.because({ kind: silent ? 'no-client' : 'client-closed' });
  });
}

async function finish(
  config: RunConfig,
  server: DevServer,
  end: SessionEnd,
  reason: Reason,
): Promise<number> {
  switch (reason.kind) {
    case 'client-closed': {
      const waited = await lastAnswers(server, end);
      const policy = sessionEndPolicy(config.signal, 'client-closed');
      await server.close({ ...policy, killAfterMs: policy.killAfterMs - waited });
      await flushed(FLUSH_MS);
      return 0;
    }
    case 'no-client':
      await server.close(sessionEndPolicy(config.signal, 'client-closed'));
      return 2;
    case 'signal':
      await server.close(policyFor(config, reason.signal));
      await flushed(FLUSH_MS);
      return 128 + constants.signals[reason.signal];
  }
}

/** Who sends SIGTERM sends SIGKILL soon; everybody else can wait a little longer. */
function policyFor(config: RunConfig, signal: NodeJS.Signals): StopPolicy {
  return sessionEndPolicy(config.signal, signal === 'SIGTERM' ? 'sigterm' : 'client-closed');
}

/** Somebody who pipes requests in and closes the pipe wants to see the answers. Returns the ms waited. */
async function lastAnswers(server: DevServer, end: SessionEnd): Promise<number> {
  const start = Date.now();
  while (server.unanswered > 0 && !end.isUrgent && Date.now() - start < LAST_ANSWERS_MS) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return Date.now() - start;
}

function catchSignals(config: RunConfig, server: DevServer, end: SessionEnd): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (end.isUrgent) {
        // Somebody asks again: no more waiting.
        server.killNow();
        process.exit(128 + constants.signals[signal]);
      }
      end.hurry();
      // Clients close stdin first: then the end has begun, and has to be quicker now.
      if (end.isReached) void server.close(policyFor(config, signal));
      else end.because({ kind: 'signal', signal });
    });
  }
  if (process.platform !== 'win32') process.on('SIGUSR2', () => void server.reload('SIGUSR2'));
}

/** Wrappers keep our stdin open when the client has died: then our parent is another one. */
function watchParent(end: SessionEnd): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) end.because({ kind: 'client-closed' });
  }, PARENT_CHECK_MS).unref();
}

function catchOwnCrash(server: DevServer, complain: (message: string) => void): void {
  const crash = (error: unknown): void => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    complain(`failed, which is a fault of its own: ${text.replaceAll('\n', ' | ')}`);
    server.killNow();
    process.exit(1);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
}
