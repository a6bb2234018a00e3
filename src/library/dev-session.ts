import type { Readable, Writable } from 'node:stream';
import type { RunConfig } from '../config/run-config.ts';
import { type StopPolicy, sessionEndPolicy } from '../generation/stop.ts';
import { type DevEvent, type StampedEvent, stamped } from '../journal/event.ts';
import { Journal } from '../journal/journal.ts';
import type { LogLine, LogQuery } from '../journal/log-ring.ts';
import type { Recorder } from '../recording/recorder.ts';
import type { ReloadOutcome } from '../reload/awaited.ts';
import { DevServer } from '../reload/dev-server.ts';
import type { ServerStatus } from '../reload/status.ts';
import { loadColors } from '../report/colors.ts';
import type { EventFile } from '../report/event-file.ts';
import { lossySink } from '../report/lossy-sink.ts';
import { Reporter } from '../report/reporter.ts';

/**
 * The streams of a session: the client's two, and the one on which things are said. They are asked for when they are
 * used, as `process` makes its own then.
 */
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

interface Parts {
  readonly config: RunConfig;
  readonly streams: SessionStreams;
  readonly journal: Journal;
  readonly reporter: Reporter;
  readonly recorder: Recorder | undefined;
  readonly events: EventFile | undefined;
  readonly server: DevServer;
}

/** One server behind one session on a pair of streams, with all that is written about it. */
export class DevSession {
  readonly reporter: Reporter;
  readonly server: DevServer;
  readonly journal: Journal;
  /** Resolves when the client closed its side, or does not read any more. */
  readonly clientGone: Promise<Farewell>;
  readonly #parts: Parts;
  #heard: Farewell = 'silent';
  #clientWent: (farewell: Farewell) => void = () => {};
  #closing: Promise<void> | undefined;

  /** A session that is not started yet. */
  static async open(config: RunConfig, streams: SessionStreams): Promise<DevSession> {
    const { root, verbosity, color, logFile, events: eventFile, record } = config;
    const journal = new Journal();
    const stderr = lossySink(() => streams.stderr);
    const complain = (message: string): void => stderr.write(`mcp-dev ${message}\n`);
    const isWritten = [logFile, eventFile, record].some((path) => path !== undefined);
    const files = isWritten ? await import('./files.ts') : undefined;
    const log = files?.logFor(config, complain);
    const colors = await loadColors(color);
    const reporter = new Reporter({ root, verbosity, colors, stderr, log, logs: journal.logs });
    const onError = (message: string): void => reporter.error(message);
    const recorder = files?.recorderFor(config, onError);
    const events = files?.eventFileFor(config, stderr, onError);
    if (events !== undefined) journal.listen((event) => events.write(event));
    const client = {
      write: (bytes: Buffer) => streams.stdout.write(bytes),
      pause: () => streams.stdin.pause(),
      resume: () => streams.stdin.resume(),
    };
    const ports = { client, serverStderr: stderr.writeBytes, reporter, journal, recorder };
    const server = await DevServer.open(config, ports);
    return new DevSession({ config, streams, journal, reporter, recorder, events, server });
  }

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.reporter = parts.reporter;
    this.server = parts.server;
    this.journal = parts.journal;
    this.clientGone = new Promise((resolve) => {
      this.#clientWent = resolve;
    });
  }

  /** Builds and starts the first generation, and takes what the client says. */
  start(): void {
    if (this.#closing !== undefined) return;
    this.journal.note({ event: 'session', state: 'began' });
    this.server.start();
    // To make the streams of a process takes as long as some servers need to start: that runs meanwhile.
    setImmediate(() => this.#listen());
  }

  #listen(): void {
    if (this.#closing !== undefined) return;
    const { stdin, stdout } = this.#parts.streams;
    stdout.on('drain', this.#onRoom);
    stdout.on('error', this.#onGone);
    stdout.on('close', this.#onGone);
    stdin.on('data', this.#onData);
    stdin.on('error', this.#onGone);
    stdin.on('end', this.#onEnd);
    // A stream that is destroyed need not end first.
    stdin.on('close', this.#onEnd);
    if (stdin.destroyed || stdout.destroyed) this.#onGone();
  }

  /** Calls `listener` with every event of that name from now on, until the function that it returns is called. */
  on<E extends keyof DevSessionEvents>(event: E, listener: (event: DevSessionEvents[E]) => void): () => void {
    if (event === 'log') return this.journal.logs.follow(listener as (line: LogLine) => void);
    return this.journal.listen((happened) => {
      if (happened.event === event)
        listener(stamped(happened, this.#parts.config.name) as DevSessionEvents[E]);
    });
  }

  /** See `DevServer.reload`. */
  reload(by: string, ms?: number): Promise<ReloadOutcome> {
    return this.server.reload(by, ms);
  }

  /** Where things stand. */
  status(): ServerStatus {
    return this.server.status();
  }

  /** The last lines of the log that match, the oldest first. */
  logs(query: LogQuery): readonly LogLine[] {
    return this.journal.logs.tail(query);
  }

  /**
   * Waits for answers that are on their way, one second at most and only as long as `isPatient` says so. Who pipes
   * requests in and closes the pipe wants to see them. Returns the ms waited.
   */
  async lastAnswers(isPatient: () => boolean = () => true): Promise<number> {
    const start = Date.now();
    while (this.server.unanswered > 0 && isPatient() && Date.now() - start < LAST_ANSWERS_MS) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    return Date.now() - start;
  }

  /**
   * Ends the session: everything that was started is ended by the policy and gone when this resolves. A later call can
   * only make it more urgent.
   */
  close(policy: StopPolicy = sessionEndPolicy(this.#parts.config.signal, 'client-closed')): Promise<void> {
    const stopped = this.server.close(policy);
    this.#closing ??= stopped.then(() => this.#finish());
    return this.#closing;
  }

  /** Ends every process in this very call, for the way out of a crash. */
  killNow(): void {
    this.server.killNow();
    this.#finish();
  }

  #finish(): void {
    const { stdin, stdout } = this.#parts.streams;
    // What goes wrong with the streams from now on is nothing to anybody: those listeners stay.
    stdin.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onEnd).pause();
    stdout.off('drain', this.#onRoom).off('close', this.#onGone);
    this.journal.note({ event: 'session', state: 'ended' });
    this.#parts.recorder?.close();
    this.#parts.events?.close();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#heard = 'closed';
    this.server.receive(chunk);
  };

  readonly #onEnd = (): void => this.#clientWent(this.#heard);

  readonly #onGone = (): void => this.#clientWent('closed');

  readonly #onRoom = (): void => this.server.clientHasRoom();
}
