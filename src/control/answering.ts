import type { Journal } from '../journal/journal.ts';
import type { DevServer } from '../reload/dev-server.ts';
import { isObject } from '../wire/message.ts';
import type { Ask, Hello, Reply } from './protocol.ts';
import { steady } from './steady.ts';

/** What a running `mcp-dev` shows of itself to other processes of its user. */
export interface Subject {
  readonly hello: Hello;
  readonly server: Pick<DevServer, 'status' | 'reload' | 'call'>;
  readonly journal: Journal;
  /** Ends it, as SIGTERM would. */
  stop(): void;
}

/** Somebody who asked. */
export interface Caller {
  reply(reply: Reply): void;
  /** There is nothing more to say. */
  end(): void;
  /** What is to be done when the connection has ended, whoever ended it. */
  onGone(forget: () => void): void;
}

/** Some states begin without an event: they are looked for that often. */
const LOOK_MS = 250;
/** What happens at once is told at once. */
const GATHER_MS = 20;

/** Gives somebody what it asks for. */
export function answer(subject: Subject, ask: Ask, caller: Caller): void {
  switch (ask.ask) {
    case 'status':
      if (ask.follow) followStatus(subject, caller);
      else last(caller, { reply: 'status', status: subject.server.status() });
      return;
    case 'reload': {
      const by = ask.reason === undefined ? 'mcp-dev reload' : `mcp-dev reload: ${ask.reason}`;
      void subject.server.reload(by).then((outcome) => last(caller, { reply: 'reload', outcome }));
      return;
    }
    case 'logs':
      for (const line of subject.journal.logs.tail(ask)) caller.reply({ reply: 'line', line });
      if (ask.follow) followLogs(subject, ask, caller);
      else caller.end();
      return;
    case 'call': {
      const hangUp = subject.server.call(ask.tool, ask.arguments, (line) => {
        const response = line.parse();
        if (isObject(response)) last(caller, { reply: 'call', response });
        else last(caller, { reply: 'refused', why: "the server's answer is no valid JSON" });
      });
      caller.onGone(hangUp);
      return;
    }
    case 'stop':
      caller.reply({ reply: 'stopping' });
      subject.stop();
      return;
  }
}

function last(caller: Caller, reply: Reply): void {
  caller.reply(reply);
  caller.end();
}

function followLogs(
  { journal }: Subject,
  { source, generation }: Extract<Ask, { ask: 'logs' }>,
  caller: Caller,
): void {
  const forget = journal.logs.follow((line) => {
    const isWanted =
      (source === undefined || line.source === source) &&
      (generation === undefined || line.generation === generation);
    if (isWanted) caller.reply({ reply: 'line', line });
  });
  caller.onGone(forget);
}

function followStatus({ server, journal }: Subject, caller: Caller): void {
  let told = '';
  let soon: NodeJS.Timeout | undefined;
  const tell = (): void => {
    soon = undefined;
    const status = server.status();
    const now = steady(status);
    if (now === told) return;
    told = now;
    caller.reply({ reply: 'status', status });
  };
  tell();
  const forget = journal.listen(() => {
    soon ??= setTimeout(tell, GATHER_MS).unref();
  });
  const timer = setInterval(tell, LOOK_MS).unref();
  caller.onGone(() => {
    forget();
    clearTimeout(soon);
    clearInterval(timer);
  });
}
