import { Toolbox } from '../agent/toolbox.ts';
import { isCompiled } from '../config/launch.ts';
import type { RunConfig } from '../config/run-config.ts';
import { describeExit, type Exit } from '../generation/exit.ts';
import { type ProcessEvents, type ServerProcess, startProcess } from '../generation/process.ts';
import { type StopPolicy, swapPolicy } from '../generation/stop.ts';
import { type DevEvent, errorText, eventsOf } from '../journal/event.ts';
import type { Journal } from '../journal/journal.ts';
import type { Recorder } from '../recording/recorder.ts';
import type { Report } from '../report/report.ts';
import type { Reporter } from '../report/reporter.ts';
import { shortenIn, wordReport } from '../report/wording.ts';
import { StandbyKeeper } from '../standby/keeper.ts';
import { monotonicMs } from '../system/clock.ts';
import { oneLine } from '../text/one-line.ts';
import { type Line, LineSplitter } from '../wire/line.ts';
import { isObject, type JsonObject } from '../wire/message.ts';
import { type ByteSink, Outbox } from '../wire/outbox.ts';
import { AwaitedReloads, type ReloadOutcome } from './awaited.ts';
import { Backlog } from './backlog.ts';
import { type LaunchChoice, shownChoice } from './choice.ts';
import { Core, type CoreEvent, type Effect } from './core.ts';
import { recallHandshake, rememberHandshake } from './handshake-memory.ts';
import { RunningGeneration } from './running.ts';
import { type ServerStatus, serverState } from './status.ts';
import { Timers } from './timers.ts';
import { loadMaking, type Making, Workshop, type WorkshopEvent } from './workshop.ts';

/** Where a session's client is. */
export interface ClientPort extends ByteSink {
  /** Back-pressure: no more input, please, until `resume`. */
  pause(): void;
  resume(): void;
}

/** What a development server needs from its surroundings. */
export interface DevServerPorts {
  readonly client: ClientPort;
  /** The server's stderr, byte for byte. */
  readonly serverStderr: (chunk: Buffer) => void;
  readonly reporter: Reporter;
  /** Where all that happens is noted. */
  readonly journal: Journal;
  readonly recorder: Recorder | undefined;
}

/** A client gives up from 10 s on; its handshake is answered before that. */
const ANSWER_AFTER_MS = 8000;
/** When so many bytes of requests wait for a generation, the client has to wait too. */
const MOST_HELD = 64 * 1024 * 1024;
/** Whoever does not read so many bytes that were written to it is not listened to until it does. */
const MOST_WAITING = 16 * 1024 * 1024;
/** By then saves are watched for whatever happened: a first start may never end, and its client may not speak. */
const WATCH_AFTER_MS = 1000;
/** A process that closed a pipe and has not ended by then lives on without it. */
const END_AFTER_CLOSING_MS = 500;
/** A standby is started when no message came for so long … */
const QUIET_MS = 250;
/** … or when messages come without an end. */
const LONGEST_NOISE_MS = 3000;

/** What still counts while the session ends: answers on their way. */
const OUTLIVES_CLOSING: ReadonlySet<CoreEvent['type']> = new Set(['client', 'server', 'tool-result']);
/** So many lines of an error tell a client what is wrong; the rest is in the log. */
const FIRST_LINES = 12;

/**
 * One server behind one session: it owns the processes, pipes, files and timers, and does to them what the
 * core says. Bytes are written when all that came in one read is done with.
 */
export class DevServer {
  readonly #config: RunConfig;
  readonly #ports: DevServerPorts;
  readonly #core: Core;
  readonly #workshop: Workshop;
  readonly #toolbox: Toolbox;
  readonly #standby: StandbyKeeper;
  readonly #timers = new Timers();
  readonly #awaited = new AwaitedReloads();
  readonly #generations = new Map<number, RunningGeneration>();
  readonly #fromClient: LineSplitter;
  readonly #clientInput: Backlog;
  readonly #toClient: Outbox;
  /** Generations that do not keep up with their input. */
  readonly #full = new Set<number>();
  #input: 'flowing' | 'paused' = 'flowing';
  /** The generation of the message that is being handled. */
  #speaker: number | undefined;
  /** The writing of what a later session may want to know. */
  #remembering = Promise.resolve();
  /** Calls of our own that are not answered. */
  readonly #calls = new Map<number, (response: Line) => void>();
  #lastCall = 0;
  /** What was said of a request state that a generation refused. */
  #requestState: string | undefined;
  /** When the last build began; ms since the epoch. */
  #buildingSince = 0;
  #life: 'running' | 'closing' = 'running';
  /** When a message came last, from whatever side; ms of the monotonic clock. */
  #lastMessage = 0;
  /** Whether it was noted who speaks with the server. */
  #connection: 'open' | 'noted' = 'open';

  /** A server that is not started yet. */
  static async open(config: RunConfig, ports: DevServerPorts): Promise<DevServer> {
    return new DevServer(config, ports, await loadMaking(config));
  }

  private constructor(config: RunConfig, ports: DevServerPorts, making: Making | undefined) {
    const { hold, drain, exclusiveDrain, replay, stale, transparent, exclusive, readyTimeout, name } = config;
    const { root, variants, allowCommands } = config;
    this.#config = config;
    this.#ports = ports;
    this.#toolbox = new Toolbox({
      server: name,
      root,
      variants,
      allowCommands,
      logs: ports.journal.logs,
      status: () => this.status(),
      reload: (by, ms, choice) => this.reload(by, ms, choice),
    });
    const tools = config.tools ? this.#toolbox.definitions : [];
    this.#core = new Core(
      { name, hold, drain, exclusiveDrain, replay, stale, transparent, tools, answerAfter: ANSWER_AFTER_MS },
      {
        exclusive,
        hold,
        readyTimeout,
        lastWords: (number) => this.#generations.get(number)?.lastWords ?? '',
      },
      (effect) => this.#do(effect),
    );
    this.#workshop = new Workshop(config, ports.reporter, (event) => this.#worked(event), making);
    this.#standby = new StandbyKeeper({
      mode: config.standby,
      next: () => this.#workshop.nextLaunch(this.#core.status.active ?? 0),
      newest: () => this.#workshop.built,
      detail: (text) => ports.reporter.detail(text),
    });
    this.#fromClient = new LineSplitter({
      line: (line) => {
        ports.recorder?.message('client', line, this.#core.status.active);
        this.#handle({ type: 'client', line });
      },
      overflow: (limit) => ports.reporter.error(`the client sent ${wordOverflow(limit)}`),
    });
    this.#clientInput = new Backlog(ports.client);
    this.#toClient = new Outbox(this.#clientInput);
  }

  /** Builds and starts the first generation. */
  start(): void {
    this.#happened({ type: 'remembered', remembered: recallHandshake(this.#config) });
    this.#happened({ type: 'begin' });
    this.#timers.set('watch', WATCH_AFTER_MS, () => this.#workshop.watch());
  }

  /** Bytes from the client. */
  receive(chunk: Buffer): void {
    this.#lastMessage = monotonicMs();
    this.#fromClient.push(chunk);
    this.#flush();
  }

  /** The client takes more again, after a write to it had answered false. */
  clientHasRoom(): void {
    this.#clientInput.drained();
    this.#regulateInput();
    for (const { process } of this.#generations.values()) process.resumeOutput();
  }

  /**
   * Starts a reload, or joins the one that is on its way. `by` says who asked, for the log. Resolves when it has ended,
   * and whatever was saved meanwhile is served or known to be broken; after `ms` in any case.
   *
   * @param choice what is started from now on, `default` for the server as configured
   */
  async reload(
    by: string,
    ms = Number.POSITIVE_INFINITY,
    choice?: LaunchChoice | 'default',
  ): Promise<ReloadOutcome> {
    if (choice === undefined) return this.#reload(by, ms);
    const hasStarted = serverState(this.#core.status) === 'starting';
    const since = Date.now();
    this.#workshop.choose(choice === 'default' ? undefined : choice);
    if (!hasStarted) return this.#reload(by, ms);
    // What is being started now was launched before the choice.
    const earlier = await this.#awaited.outcome(ms);
    return earlier.event === 'pending' ? earlier : this.#reload(by, ms - (Date.now() - since));
  }

  #reload(by: string, ms: number): Promise<ReloadOutcome> {
    const outcome = this.#awaited.outcome(ms);
    this.#happened({ type: 'requested', by: oneLine(by) });
    return outcome;
  }

  /**
   * Calls a tool for somebody who is not the client. It is held, sent again and failed like a call of the client's;
   * `answered` gets the response, a result or an error, once. The function that comes back takes the call back.
   */
  call(tool: string, args: JsonObject, answered: (response: Line) => void): () => void {
    const call = ++this.#lastCall;
    this.#calls.set(call, answered);
    this.#happened({ type: 'call', call, tool, arguments: args });
    return () => {
      if (this.#calls.delete(call)) this.#happened({ type: 'hang-up', call });
    };
  }

  /** The client did more than to ask what the server is. */
  get isInUse(): boolean {
    return this.#core.isInUse;
  }

  /** How many requests of the client wait for an answer. */
  get unanswered(): number {
    return this.#core.unanswered;
  }

  /** Where things stand. */
  status(): ServerStatus {
    const { active, broken } = this.#core.status;
    const { protocol } = this.#core;
    const { choice } = this.#workshop;
    const { name, launch, watch, root } = this.#config;
    const { reloads, crashes, strayLines } = this.#ports.journal;
    const process = active === undefined ? undefined : this.#generations.get(active)?.process;
    const read = isCompiled(launch) ? [`what ${launch.entry} imports`] : [];
    const watched = [...read, ...watch];
    return {
      server: name,
      state: serverState(this.#core.status),
      ...(active === undefined ? {} : { generation: active }),
      ...(process?.pid === undefined ? {} : { pid: process.pid, uptimeMs: Date.now() - process.startedAt }),
      ...(protocol === undefined ? {} : { era: protocol.era, protocolVersion: protocol.version }),
      watched: watched.length === 0 ? [root] : watched,
      ...(choice === undefined ? {} : { choice: shownChoice(choice) }),
      ...(broken === undefined ? {} : { stale: errorText(broken) }),
      reloads,
      crashes,
      strayLines,
      hints: this.#requestState === undefined ? [] : [this.#requestState],
      standby: this.#standby.status,
    };
  }

  /** Ends the session: everything that was started is ended by the policy and gone when this resolves. */
  async close(policy: StopPolicy): Promise<void> {
    this.#happened({ type: 'closing' });
    this.#life = 'closing';
    this.#timers.clearAll();
    const stops = [...this.#generations.values()].map(({ process }) => process.stop(policy));
    // What was built is given up only when nothing runs it any more.
    await Promise.all([this.#workshop.rest(), this.#standby.close(), this.#remembering, ...stops]);
    await this.#workshop.close();
  }

  /** Ends every process in this very call, for the way out of a crash. */
  killNow(): void {
    this.#life = 'closing';
    for (const { process } of this.#generations.values()) process.killNow();
    this.#standby.killNow();
    this.#workshop.killNow();
  }

  /** Something came from the files or the build. */
  #worked(event: WorkshopEvent): void {
    const ms = Date.now() - this.#buildingSince;
    switch (event.type) {
      case 'batch':
        this.#note({ event: 'change', paths: event.changes.map(({ path }) => path) });
        break;
      case 'built':
        if (this.#workshop.builds) this.#note({ event: 'build', outcome: 'built', ms });
        break;
      case 'build-aborted':
        this.#note({ event: 'build', outcome: 'aborted', ms });
        break;
      case 'build-failed':
        this.#note({ event: 'build', outcome: 'failed', ms, error: errorText(event.failure) });
        break;
      case 'change-seen':
        break;
    }
    this.#happened(event);
  }

  #note(event: DevEvent): void {
    this.#ports.journal.note(event);
  }

  #happened(event: CoreEvent): void {
    this.#handle(event);
    this.#flush();
  }

  #handle(event: CoreEvent): void {
    if (this.#life === 'closing' && !OUTLIVES_CLOSING.has(event.type)) return;
    this.#core.handle(event);
    if (this.#connection === 'open') this.#connect();
    if (this.#awaited.areWaitedFor && this.#core.status.settled) this.#awaited.settled();
  }

  /** Notes who speaks with the server as soon as that is known. */
  #connect(): void {
    const { protocol, client } = this.#core;
    if (protocol === undefined) return;
    this.#connection = 'noted';
    const { name, version } = client ?? {};
    const named =
      typeof name === 'string' ? { name, ...(typeof version === 'string' ? { version } : {}) } : undefined;
    this.#note({
      event: 'session',
      state: 'connected',
      era: protocol.era,
      protocolVersion: protocol.version,
      ...(named === undefined ? {} : { client: named }),
    });
  }

  #do(effect: Effect): void {
    switch (effect.do) {
      case 'to-client':
        this.#ports.recorder?.message('server', effect.line, this.#speaker ?? this.#core.status.active);
        this.#toClient.push(effect.line);
        return;
      case 'to-server':
        this.#generations.get(effect.generation)?.send(effect.line);
        return;
      case 'answer-call': {
        const answered = this.#calls.get(effect.call);
        this.#calls.delete(effect.call);
        answered?.(effect.line);
        return;
      }
      case 'set-session-timer': {
        const { timer, ms } = effect;
        this.#timers.set(JSON.stringify(timer), ms, () => this.#happened({ type: 'session-timer', timer }));
        return;
      }
      case 'clear-session-timer':
        this.#timers.clear(JSON.stringify(effect.timer));
        return;
      case 'pause-session-timer':
        this.#timers.pause(JSON.stringify(effect.timer));
        return;
      case 'resume-session-timer':
        this.#timers.resume(JSON.stringify(effect.timer));
        return;
      case 'set-reload-timer': {
        const { timer, ms } = effect;
        this.#timers.set(timer, ms, () => this.#happened({ type: 'reload-timer', timer }));
        return;
      }
      case 'clear-reload-timer':
        this.#timers.clear(effect.timer);
        return;
      case 'build':
        this.#buildingSince = Date.now();
        this.#workshop.build();
        return;
      case 'abort-build':
        this.#workshop.abortBuild();
        return;
      case 'start':
        this.#startGeneration(effect.generation);
        return;
      case 'stop':
        void this.#generations.get(effect.generation)?.process.stop(this.#swapPolicy());
        return;
      case 'report':
        this.#report(effect.report);
        // A process that was only started to be asked what the server is ends a moment after that.
        if (this.#core.isSettled) this.#workshop.watch();
        if (effect.report.event === 'ready') this.#prepareStandby(effect.report.generation);
        return;
      case 'garbage': {
        const { generation, line } = effect;
        this.#ports.reporter.garbage(generation, line.text());
        this.#note({ event: 'garbage', generation, text: line.text() });
        return;
      }
      case 'logged':
        this.#ports.journal.logs.line('messages', wordLogged(effect.line), effect.generation);
        return;
      case 'warn':
        this.#ports.reporter.offence(effect.about, effect.message);
        if (effect.about === 'request-state') this.#requestState = effect.message;
        return;
      case 'execute':
        void this.#execute(effect);
        return;
      case 'remember':
        this.#remembering = rememberHandshake(this.#config, effect.remembered);
        return;
    }
  }

  #report(report: Report): void {
    this.#ports.reporter.report(report);
    for (const event of eventsOf(report)) this.#note(event);
    this.#tellClient(report);
    this.#awaited.reported(report);
  }

  /** Tells a client that wants to hear it what came of a reload. */
  #tellClient(report: Report): void {
    const words = (): string => wordReport(report, shortenIn(this.#config.root));
    switch (report.event) {
      case 'ready':
        if (report.trigger.kind === 'first-start') return;
        this.#handle({ type: 'log', level: 'info', text: words() });
        return;
      case 'failed':
      case 'crashed': {
        const lines = report.failure.text.split('\n').slice(0, FIRST_LINES);
        this.#handle({ type: 'log', level: 'error', text: [words(), ...lines].join('\n').trimEnd() });
        return;
      }
      case 'one-at-a-time':
      case 'loop':
        this.#handle({ type: 'log', level: 'warning', text: words() });
        return;
    }
  }

  /** A tool of ours is called. It may wait for what this very turn leads to. */
  async #execute({ key, tool, args }: Extract<Effect, { do: 'execute' }>): Promise<void> {
    await undefined;
    const result = await this.#toolbox.execute(tool, args);
    this.#happened({ type: 'tool-result', key, result });
  }

  #startGeneration(number: number): void {
    const startedAt = Date.now();
    const generation = new RunningGeneration((events) => this.#process(number, events), {
      onLine: (line) => {
        this.#speaker = number;
        this.#handle({ type: 'server', generation: number, line });
        this.#speaker = undefined;
      },
      onRead: () => {
        this.#lastMessage = monotonicMs();
        this.#flush();
      },
      onOverflow: (limit) => this.#ports.reporter.error(`generation ${number} wrote ${wordOverflow(limit)}`),
      onStderr: (chunk) => {
        this.#ports.journal.logs.bytes('server', chunk, number);
        this.#ports.serverStderr(chunk);
      },
      onExit: (exit) => void this.#ended(number, generation, exit, Date.now() - startedAt),
      onRoom: () => this.#hasRoom(number),
      onClosed: (pipe) => {
        this.#timers.set(`closed ${number}`, END_AFTER_CLOSING_MS, () => {
          const text = generation.lastWords;
          this.#happened({
            type: 'cut-off',
            generation: number,
            pipe,
            text,
            livedMs: Date.now() - startedAt,
          });
        });
      },
    });
    this.#generations.set(number, generation);
    const { pid } = generation.process;
    this.#note({ event: 'start', generation: number, ...(pid === undefined ? {} : { pid }) });
  }

  #process(generation: number, events: ProcessEvents): ServerProcess {
    const launch = this.#workshop.launch(generation);
    const standby = this.#standby.take(generation, launch, events);
    return standby ?? startProcess(this.#standby.reporting(generation, launch), events);
  }

  /** Loading packages takes the time of a processor, which messages may need more. */
  #prepareStandby(generation: number, from = monotonicMs()): void {
    this.#timers.set('standby', QUIET_MS, () => {
      const now = monotonicMs();
      const isQuiet = now - this.#lastMessage >= QUIET_MS || now - from >= LONGEST_NOISE_MS;
      if (isQuiet) this.#standby.prepare(generation);
      else this.#prepareStandby(generation, from);
    });
  }

  async #ended(number: number, generation: RunningGeneration, exit: Exit, livedMs: number): Promise<void> {
    this.#hasRoom(number);
    this.#timers.clear(`closed ${number}`);
    if (this.#core.status.exclusive && this.#life === 'running') {
      // A helper that it left behind may still own the port that the next one needs.
      await generation.process.stop(this.#swapPolicy());
    }
    const text = generation.lastWords;
    this.#ports.journal.logs.end('server', number);
    this.#note({ event: 'stop', generation: number, exit: describeExit(exit) });
    this.#happened({ type: 'exited', generation: number, exit, text, livedMs });
    this.#generations.delete(number);
  }

  /** Writes what was gathered, and pauses whoever writes faster than somebody reads. */
  #flush(): void {
    for (const [number, generation] of this.#generations) {
      if (!generation.flush()) this.#full.add(number);
      if (generation.waiting > MOST_WAITING) generation.process.pauseOutput();
    }
    const clientReads = this.#toClient.flush();
    this.#regulateInput();
    if (clientReads) return;
    // What a candidate says is for us: it takes over whether the client reads or not.
    const { active = 0 } = this.#core.status;
    const last = this.#clientInput.waiting > MOST_WAITING ? Number.POSITIVE_INFINITY : active;
    for (const [number, { process }] of this.#generations) if (number <= last) process.pauseOutput();
  }

  #hasRoom(generation: number): void {
    if (!this.#full.delete(generation)) return;
    this.#generations.get(generation)?.process.resumeOutput();
    this.#regulateInput();
  }

  /** Takes no more from the client than servers take, but for one that drains: nothing new goes to it. */
  #regulateInput(): void {
    const { active = 0 } = this.#core.status;
    const isFull =
      this.#core.heldBytes > MOST_HELD ||
      this.#clientInput.waiting > MOST_WAITING ||
      [...this.#full].some(
        (number) => number >= active || (this.#generations.get(number)?.waiting ?? 0) > MOST_WAITING,
      );
    const input = isFull ? 'paused' : 'flowing';
    if (input === this.#input) return;
    this.#input = input;
    if (input === 'paused') this.#ports.client.pause();
    else this.#ports.client.resume();
  }

  #swapPolicy(): StopPolicy {
    return swapPolicy(this.#config.signal, this.#config.killTimeout);
  }
}

function wordOverflow(limit: number): string {
  return `a line of more than ${limit / 1024 / 1024} MiB: it is dropped`;
}

/** A log message of the server as a line of text. */
function wordLogged(line: Line): string {
  const message = line.parse();
  const params = isObject(message) && isObject(message.params) ? message.params : {};
  const { level, logger, data } = params;
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  return [level, logger, text].filter((part) => part !== undefined).join(' ');
}
