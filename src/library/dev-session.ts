import type { Readable, Writable } from 'node:stream';
import type { RunConfig } from '../config/run-config.ts';
import { type StopPolicy, sessionEndPolicy } from '../generation/stop.ts';
import { type DevEvent, type StampedEvent, stamped } from '../journal/event.ts';
import { Journal } from '../journal/journal.ts';
import type { LogLine, LogQuery } from '../journal/log-ring.ts';
import type { Header } from '../recording/format.ts';
import { type Recorder, recorder } from '../recording/recorder.ts';
import { redactor, redactWords } from '../recording/redact.ts';
import type { ReloadOutcome } from '../reload/awaited.ts';
import { DevServer } from '../reload/dev-server.ts';
import type { ServerStatus } from '../reload/status.ts';
import { type EventFile, eventFile } from '../report/event-file.ts';
import { logFile } from '../report/log-file.ts';
import { lossySink } from '../report/lossy-sink.ts';
import { type LogSink, Reporter } from '../report/reporter.ts';
import { packageVersion } from '../system/package.ts';

/** The streams of a session: the client's two, and the one on which things are said. */
export interface SessionStreams {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** How a client goes: after a conversation, or without a word. */
export type Farewell = 'closed' | 'silent';

/** What can be listened to, by name. */
export type DevSessionEvents = {
  readonly [E in DevEvent['event']]: Extract<StampedEvent, { event: E }>;
} & { /** A line of the log. */ readonly log: LogLine };

/** How long a client that closed our stdin may still wait for answers that are on their way. */
const LAST_ANSWERS_MS = 1000;
const LOOK_MS = 10;

/** One server behind one session on a pair of streams, with all that is written about it. */
export class DevSession {
  readonly reporter: Reporter;
  /** Resolves when the client closed its side, or does not read any more. */
  readonly clientGone: Promise<Farewell>;
  readonly #config: RunConfig;
  readonly #streams: SessionStreams;
  readonly #server: DevServer;
  readonly #journal = new Journal();
  readonly #recorder: Recorder | undefined;
  readonly #events: EventFile | undefined;
  #heard: Farewell = 'silent';
  #clientWent: (farewell: Farewell) => void = () => {};
  #closing: Promise<void> | undefined;

  constructor(config: RunConfig, streams: SessionStreams) {
    this.#config = config;
    this.#streams = streams;
    this.clientGone = new Promise((resolve) => {
      this.#clientWent = resolve;
    });
    const { root, verbosity, color } = config;
    const stderr = lossySink(streams.stderr);
    const complain = (message: string): void => stderr.write(`mcp-dev ${message}\n`);
    const log = logSink(config, complain);
    this.reporter = new Reporter({ root, verbosity, color, stderr, log, logs: this.#journal.logs });
    const onError = (message: string): void => this.reporter.error(message);
    this.#recorder = recorderFor(config, onError);
    this.#events = eventFileFor(config, stderr, onError);
    this.#journal.listen((event) => this.#events?.write(event));
    this.#server = new DevServer(config, {
      client: {
        write: (bytes) => streams.stdout.write(bytes),
        pause: () => streams.stdin.pause(),
        resume: () => streams.stdin.resume(),
      },
      serverStderr: stderr.writeBytes,
      reporter: this.reporter,
      journal: this.#journal,
      recorder: this.#recorder,
    });
  }

  /** Builds and starts the first generation, and takes what the client says. */
  start(): void {
    const { stdin, stdout } = this.#streams;
    stdout.on('drain', this.#onRoom);
    stdout.on('error', this.#onGone);
    this.#journal.note({ event: 'session', state: 'began' });
    this.#server.start();
    stdin.on('data', this.#onData);
    stdin.on('error', this.#onGone);
    stdin.on('end', this.#onEnd);
  }

  /** Calls `listener` with every event of that name from now on, until the function that it returns is called. */
  on<E extends keyof DevSessionEvents>(event: E, listener: (event: DevSessionEvents[E]) => void): () => void {
    if (event === 'log') return this.#journal.logs.follow(listener as (line: LogLine) => void);
    return this.#journal.listen((happened) => {
      if (happened.event === event) listener(stamped(happened, this.#config.name) as DevSessionEvents[E]);
    });
  }

  /** See `DevServer.reload`. */
  reload(by: string, ms?: number): Promise<ReloadOutcome> {
    return this.#server.reload(by, ms);
  }

  /** Where things stand. */
  status(): ServerStatus {
    return this.#server.status();
  }

  /** The last lines of the log that match, the oldest first. */
  logs(query: LogQuery): readonly LogLine[] {
    return this.#journal.logs.tail(query);
  }

  /**
   * Waits for answers that are on their way, one second at most and only as long as `isPatient` says so. Who pipes
   * requests in and closes the pipe wants to see them. Returns the ms waited.
   */
  async lastAnswers(isPatient: () => boolean = () => true): Promise<number> {
    const start = Date.now();
    while (this.#server.unanswered > 0 && isPatient() && Date.now() - start < LAST_ANSWERS_MS) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    return Date.now() - start;
  }

  /**
   * Ends the session: everything that was started is ended by the policy and gone when this resolves. A later call can
   * only make it more urgent.
   */
  close(policy: StopPolicy = sessionEndPolicy(this.#config.signal, 'client-closed')): Promise<void> {
    const stopped = this.#server.close(policy);
    this.#closing ??= stopped.then(() => this.#finish());
    return this.#closing;
  }

  /** Ends every process in this very call, for the way out of a crash. */
  killNow(): void {
    this.#server.killNow();
    this.#finish();
  }

  #finish(): void {
    const { stdin, stdout } = this.#streams;
    // What goes wrong with the streams from now on is nothing to anybody: those listeners stay.
    stdin.off('data', this.#onData).off('end', this.#onEnd).pause();
    stdout.off('drain', this.#onRoom);
    this.#journal.note({ event: 'session', state: 'ended' });
    this.#recorder?.close();
    this.#events?.close();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#heard = 'closed';
    this.#server.receive(chunk);
  };

  readonly #onEnd = (): void => this.#clientWent(this.#heard);

  readonly #onGone = (): void => this.#clientWent('closed');

  readonly #onRoom = (): void => this.#server.clientHasRoom();
}

function logSink(
  { logFile: path, redact }: RunConfig,
  onError: (message: string) => void,
): LogSink | undefined {
  if (path === undefined) return undefined;
  const file = logFile(path, onError);
  if (redact.length === 0) return file;
  const mask = redactor(redact);
  return { write: (text) => file.write(mask(Buffer.from(text)).toString()) };
}

function eventFileFor(
  { events: path, name: server, redact }: RunConfig,
  stderr: LogSink,
  onError: (message: string) => void,
): EventFile | undefined {
  if (path === undefined) return undefined;
  return eventFile({ path, server, redact: redactor(redact), stderr, onError });
}

function recorderFor(config: RunConfig, onError: (message: string) => void): Recorder | undefined {
  const { record: path, redact, launch, cwd, name: server } = config;
  if (path === undefined) return undefined;
  const words = launch.kind === 'command' ? [launch.command, ...launch.args] : [launch.entry, ...launch.args];
  const header = (): Header => ({
    recording: 1,
    time: new Date().toISOString(),
    by: `mcp-dev ${packageVersion()}`,
    server,
    command: redactWords(words, redact),
    cwd,
    redacted: redact,
  });
  return recorder({ path, header, redact: redactor(redact), onError });
}
