import { CrashBackoff } from '../generation/backoff.ts';
import { describeExit } from '../generation/exit.ts';
import type { Phases, Report, Trigger } from '../report/report.ts';
import type { Failure } from '../session/failure.ts';
import type { Change } from '../watch/change.ts';
import type { ReloadCommand, ReloadEvent, ReloadTimer } from './events.ts';
import { LoopGuard } from './loop-guard.ts';
import { isLocked, isTaken } from './rivals.ts';

/*
 *            begin, batch,              built            ready
 *            requested              (room to start)
 *   ┌──────┐ ────────► ┌──────────┐ ─────────► ┌──────────┐ ─────────► ┌──────┐
 *   │ idle │           │ building │            │ starting │            │ idle │
 *   └──────┘ ◄──────── └──────────┘ ◄───────── └──────────┘            └──────┘
 *      ▲    build-failed  │      ▲     batch       │    ▲
 *      │                  │batch │build-           │    │ retry
 *      │                  ▼      │aborted          │    │
 *      │               ┌──────────┐                │ ┌─────────┐
 *      │               │ aborting │   failed, and  └►│ waiting │
 *      │               └──────────┘   nothing serves └─────────┘
 *      │                                               │ too many in a row
 *      └───────────────────────────────────────────────┘
 *
 * Where generations may not run side by side, a state comes between building and starting, or before building:
 * making-room, in which the active generation drains and ends.
 */

/** One try to bring the newest source, or a replacement for what crashed, into service. */
interface Round {
  readonly trigger: Trigger;
  /** When its first change was seen; ms, like every time here. */
  readonly since: number;
  /** When its batch was complete. */
  readonly begunAt: number;
  readonly buildMs: number;
  /** How often a candidate was given up in a row because something changed again. */
  readonly discarded: number;
}

type State =
  /** Nothing to do: the active generation serves, or the server is down until something changes. */
  | { readonly state: 'idle' }
  | { readonly state: 'building'; readonly round: Round; readonly startedAt: number }
  /** A build is being ended, because something changed again. */
  | { readonly state: 'aborting'; readonly round: Round }
  /** The generations that still run have to end before the next one may start. */
  | { readonly state: 'making-room'; readonly round: Round; readonly next: 'build' | 'start' }
  | {
      readonly state: 'starting';
      readonly round: Round;
      readonly generation: number;
      readonly startedAt: number;
      /** Without a client that says anything nobody can ask it whether it is ready. */
      readonly asked: 'nothing' | 'handshake';
    }
  /** Nothing serves, and the last start failed: the next one comes by itself after a while. */
  | { readonly state: 'waiting'; readonly round: Round };

/** What the state machine needs to know from outside. */
export interface ReloadSettings {
  readonly exclusive: 'auto' | 'on' | 'off';
  readonly hold: number;
  readonly readyTimeout: number;
  /** The last lines that a running generation wrote to stderr. */
  lastWords(generation: number): string;
}

/** More candidates in a row are not given up for a newer change: a storm must not keep the old code forever. */
const MOST_DISCARDED = 3;
/** A generation that crashes so soon after it took over gives way to the one before it. */
const REVERT_MS = 2000;
/** What may have been written by a reload waits for so much calm: time in which a person saves again. */
const CALM_MS = 1500;
/** So many failed starts in a row, with nothing that ever worked, are no accident. */
const CERTAIN_AFTER = 2;

/**
 * The state machine of a reload: change batch → caches and build → start a candidate beside the active
 * generation → hand over → drain. It owns no process, file or clock; events come in with the time at which
 * they happened, and commands go out. What is said to the client is the session's business.
 */
export class ReloadMachine {
  readonly #settings: ReloadSettings;
  readonly #backoff = new CrashBackoff();
  readonly #loopGuard = new LoopGuard<Change>();
  #state: State = { state: 'idle' };
  /** Changes that came too late for the round in progress. */
  #pending: Change[] = [];
  /** Changes that may have been made by a reload: they wait until it has been calm after one. */
  #suspected: { readonly changes: readonly Change[]; readonly since: number } | undefined;
  /** When the oldest change was seen whose batch is not complete. */
  #gatheringSince: number | undefined;
  #active: number | undefined;
  /** The last hand-over that can be taken back: who was replaced, and when. */
  #handOver: { readonly from: number; readonly at: number } | undefined;
  /** Generations may not run side by side. */
  #startsAlone: boolean;
  /** No generation may run while the build writes. */
  #buildsAlone = false;
  /** Processes that have not ended, with whatever role, and those of them that were told to. */
  readonly #running = new Set<number>();
  readonly #stopping = new Set<number>();
  #lastGeneration = 0;
  /** Why the newest source does not work, if that is known. */
  #broken: Failure | undefined;
  /** What is on disk has worked before: a crash can be made good by another start of the same. */
  #startable = false;
  #failedStarts = 0;
  #commands: ReloadCommand[] = [];

  constructor(settings: ReloadSettings) {
    this.#settings = settings;
    this.#startsAlone = settings.exclusive === 'on';
  }

  /** Takes one event that happened at `at` (ms) and returns what is to be done, in order. */
  handle(event: ReloadEvent, at: number): readonly ReloadCommand[] {
    this.#commands = [];
    this.#apply(event, at);
    return this.#commands;
  }

  /** Where things stand. */
  get status(): {
    readonly state: State['state'];
    readonly active: number | undefined;
    readonly broken: Failure | undefined;
    /** Generations do not run side by side. */
    readonly exclusive: boolean;
    /** No reload is on its way, and none is about to be. */
    readonly settled: boolean;
  } {
    const { state } = this.#state;
    const settled = this.#isAtRest && this.#gatheringSince === undefined;
    return { state, active: this.#active, broken: this.#broken, exclusive: this.#startsAlone, settled };
  }

  #apply(event: ReloadEvent, at: number): void {
    switch (event.type) {
      case 'begin':
        this.#do({ do: 'session', event: { type: 'awaited', change: false } });
        this.#build(
          { trigger: { kind: 'first-start' }, since: at, begunAt: at, buildMs: 0, discarded: 0 },
          at,
        );
        return;
      case 'change-seen':
        this.#gatheringSince ??= at;
        this.#do({ do: 'session', event: { type: 'awaited', change: true } });
        return;
      case 'batch':
        this.#changed(event.changes, at);
        return;
      case 'requested':
        this.#requested(event.by, at);
        return;
      case 'built':
        this.#built(at);
        return;
      case 'build-failed':
        this.#buildFailed(event.failure, at);
        return;
      case 'build-aborted':
        this.#rebuild(at);
        return;
      case 'greeted':
        this.#greeted(event.generation);
        return;
      case 'ready':
        this.#ready(event, at);
        return;
      case 'rejected':
        this.#rejected(event, at);
        return;
      case 'drained':
        this.#stop(event.generation, at);
        return;
      case 'dismissed':
        if (this.#handOver?.from === event.generation) this.#handOver = undefined;
        return;
      case 'exited':
        this.#exited(event, at);
        return;
      case 'cut-off':
        this.#cutOff(event, at);
        return;
      case 'timer':
        this.#expired(event.timer, at);
        return;
    }
  }

  #changed(batch: readonly Change[], at: number): void {
    const since = this.#gatheringSince ?? at;
    this.#gatheringSince = undefined;
    const { counted, suspected, named } = this.#loopGuard.filter(batch);
    for (const path of named) this.#report({ event: 'loop', path });
    if (suspected.length > 0) this.#suspect(suspected, since);
    if (counted.length > 0) this.#take(counted, since, at);
    else if (this.#state.state === 'idle') this.#tellSource(this.#broken);
  }

  /** Starts a round for the changes, or the one that goes on over. */
  #take(changes: readonly Change[], since: number, at: number): void {
    const state = this.#state;
    const paths = [...changes, ...(this.#suspected?.changes ?? [])].map(({ path }) => path);
    const begin = (discarded: number): Round => {
      const before = state.state === 'idle' ? undefined : state.round;
      const earlier = before?.trigger.kind === 'change' ? before.trigger.paths : [];
      return {
        trigger: { kind: 'change', paths: [...new Set([...earlier, ...paths])] },
        since: before?.trigger.kind === 'change' ? before.since : since,
        begunAt: at,
        buildMs: 0,
        discarded,
      };
    };
    this.#backoff.reset();
    this.#failedStarts = 0;
    switch (state.state) {
      case 'idle':
      case 'making-room':
        this.#build(begin(0), at);
        return;
      case 'waiting':
        this.#clearTimer('retry');
        this.#build(begin(0), at);
        return;
      case 'building':
        this.#state = { state: 'aborting', round: begin(0) };
        this.#do({ do: 'abort-build' });
        return;
      case 'aborting':
        this.#state = { state: 'aborting', round: begin(0) };
        return;
      case 'starting': {
        const { discarded } = state.round;
        const isOnItsWay = state.asked === 'handshake';
        if (isOnItsWay && discarded >= MOST_DISCARDED) {
          this.#postpone(changes, since);
          return;
        }
        this.#discard(state.generation, at);
        this.#build(begin(isOnItsWay ? discarded + 1 : discarded), at);
        return;
      }
    }
  }

  #requested(by: string, at: number): void {
    const round: Round = {
      trigger: { kind: 'request', by },
      since: at,
      begunAt: at,
      buildMs: 0,
      discarded: 0,
    };
    switch (this.#state.state) {
      case 'waiting':
      case 'idle':
        this.#backoff.reset();
        this.#failedStarts = 0;
        this.#clearTimer('retry');
        this.#do({ do: 'session', event: { type: 'awaited', change: false } });
        this.#build(round, at);
        return;
      case 'building':
      case 'aborting':
      case 'making-room':
      case 'starting':
        // A reload is on its way, and it is this one.
        return;
    }
  }

  #build(round: Round, at: number): void {
    this.#loopGuard.began(at);
    this.#forgetSuspected();
    if (this.#buildsAlone && this.#running.size > 0) {
      this.#makeRoom(round, 'build');
      return;
    }
    this.#state = { state: 'building', round, startedAt: at };
    this.#do({ do: 'build' });
  }

  /** The build that was in the way has ended. */
  #rebuild(at: number): void {
    if (this.#state.state !== 'aborting') return;
    this.#loopGuard.ended(at, 'aborted');
    this.#build(this.#state.round, at);
  }

  #built(at: number): void {
    if (this.#state.state !== 'building') {
      // It was done before it could be aborted.
      this.#rebuild(at);
      return;
    }
    this.#loopGuard.built(at);
    const { round, startedAt } = this.#state;
    this.#broken = undefined;
    this.#startable = false;
    this.#startWithRoom({ ...round, buildMs: at - startedAt }, at);
  }

  #buildFailed(failure: Failure, at: number): void {
    if (this.#state.state !== 'building') {
      this.#rebuild(at);
      return;
    }
    const { round, startedAt } = this.#state;
    const { trigger } = round;
    if (!this.#buildsAlone && this.#running.size > 0 && isLocked(failure)) {
      this.#buildsAlone = true;
      this.#report({ event: 'one-at-a-time', failure, phase: 'build' });
      this.#build(round, at);
      return;
    }
    this.#state = { state: 'idle' };
    this.#loopGuard.ended(at, 'failed');
    this.#broken = failure;
    const phases = phasesOf({ ...round, buildMs: at - startedAt }, at, at);
    this.#report({ event: 'failed', trigger, phases, failure, serving: this.#active, retryMs: undefined });
    if (this.#active === undefined && this.#startable && this.#pending.length === 0) {
      // The active generation crashed or had to make room. What it ran is still there.
      this.#startWithRoom({ trigger, since: at, begunAt: at, buildMs: 0, discarded: 0 }, at);
      return;
    }
    this.#goOn(at);
  }

  #postpone(changes: readonly Change[], since: number): void {
    this.#pending.push(...changes);
    this.#gatheringSince ??= since;
  }

  #suspect(changes: readonly Change[], since: number): void {
    this.#suspected = {
      changes: [...(this.#suspected?.changes ?? []), ...changes],
      since: this.#suspected?.since ?? since,
    };
    if (this.#isAtRest) this.#setTimer('calm', CALM_MS);
  }

  /** A round begins that serves them, too. */
  #forgetSuspected(): void {
    if (this.#suspected === undefined) return;
    this.#suspected = undefined;
    this.#clearTimer('calm');
  }

  /** No change was seen that no round has begun with. */
  get #knowsNewest(): boolean {
    return this.#gatheringSince === undefined && this.#suspected === undefined;
  }

  /** No round goes on. */
  get #isAtRest(): boolean {
    return this.#state.state === 'idle' || this.#state.state === 'waiting';
  }

  /** Starts the next generation; first, if they may not run side by side, the others have to end. */
  #startWithRoom(round: Round, at: number): void {
    this.#loopGuard.began(at);
    if (this.#startsAlone && this.#running.size > 0) {
      this.#makeRoom(round, 'start');
      return;
    }
    const generation = ++this.#lastGeneration;
    this.#running.add(generation);
    this.#state = { state: 'starting', round, generation, startedAt: at, asked: 'nothing' };
    const newest = this.#broken === undefined && this.#knowsNewest;
    this.#do({ do: 'start', generation, newest });
  }

  /** Waits until no generation runs any more. */
  #makeRoom(round: Round, next: 'build' | 'start'): void {
    this.#state = { state: 'making-room', round, next };
    if (this.#active === undefined) return;
    const generation = this.#active;
    this.#active = undefined;
    this.#do({ do: 'session', event: { type: 'retire', generation } });
  }

  /** It runs, and is of no use to this session; mostly a candidate, or one that served before there was a handshake. */
  #rejected({ generation, failure }: Extract<ReloadEvent, { type: 'rejected' }>, at: number): void {
    const explained = { ...failure, text: this.#settings.lastWords(generation) };
    if (this.#isCandidate(generation)) {
      this.#stop(generation, at);
      this.#startFailed(explained, at);
    } else if (generation === this.#active) {
      this.#stop(generation, at);
      this.#lost(explained, generation, 0, at);
    }
  }

  /** The handshake was sent to a generation: it has to be ready before long. */
  #greeted(generation: number): void {
    if (this.#state.state !== 'starting' || this.#state.generation !== generation) return;
    this.#state = { ...this.#state, asked: 'handshake' };
    this.#setTimer('ready', this.#settings.readyTimeout);
  }

  #ready(event: Extract<ReloadEvent, { type: 'ready' }>, at: number): void {
    const { generation, differences } = event;
    if (this.#state.state !== 'starting' || this.#state.generation !== generation) return;
    const { round, startedAt } = this.#state;
    this.#clearTimer('ready');
    this.#state = { state: 'idle' };
    this.#loopGuard.ended(at, 'served');
    this.#handOver = this.#active === undefined ? undefined : { from: this.#active, at };
    this.#active = generation;
    this.#startable = true;
    this.#failedStarts = 0;
    const phases = phasesOf(round, startedAt, at);
    this.#report({ event: 'ready', generation, trigger: round.trigger, phases, differences });
    this.#goOn(at);
  }

  /** A round is over: what changed meanwhile is the next one. */
  #goOn(at: number): void {
    if (this.#pending.length > 0) {
      const changes = this.#pending;
      this.#pending = [];
      const since = this.#gatheringSince ?? at;
      this.#gatheringSince = undefined;
      this.#take(changes, since, at);
    } else if (this.#suspected !== undefined) this.#setTimer('calm', CALM_MS);
    else this.#tellSource(this.#broken);
  }

  /** Lets the session know how the newest source stands, unless a newer one is being gathered. */
  #tellSource(failure: Failure | undefined): void {
    if (!this.#knowsNewest) return;
    this.#do({
      do: 'session',
      event: failure === undefined ? { type: 'settled' } : { type: 'broken', failure },
    });
  }

  /** A candidate cannot take over. It is gone, or on its way out. */
  #startFailed(failure: Failure, at: number): void {
    if (this.#state.state !== 'starting') return;
    const { round, generation, startedAt } = this.#state;
    const phases = phasesOf(round, startedAt, at);
    this.#clearTimer('ready');
    this.#do({ do: 'session', event: { type: 'gone', generation, failure } });
    if (
      this.#settings.exclusive === 'auto' &&
      !this.#startsAlone &&
      this.#hasRival(generation) &&
      isTaken(failure)
    ) {
      this.#startsAlone = true;
      this.#report({ event: 'one-at-a-time', failure, phase: 'start' });
      this.#startWithRoom(round, at);
      return;
    }
    this.#state = { state: 'idle' };
    this.#loopGuard.ended(at, 'failed');
    if (this.#active !== undefined || this.#pending.length > 0 || this.#suspected !== undefined) {
      this.#broken = failure;
      this.#report({
        event: 'failed',
        trigger: round.trigger,
        phases,
        failure,
        serving: this.#active,
        retryMs: undefined,
      });
      this.#goOn(at);
      return;
    }
    this.#failedStarts++;
    const replacing = round.trigger.kind === 'crash';
    this.#retry(failure, replacing, 0, { ...round, buildMs: 0 }, (retryMs) => {
      const { trigger } = round;
      this.#report({ event: 'failed', trigger, phases, failure, serving: undefined, retryMs });
    });
  }

  #exited(event: Extract<ReloadEvent, { type: 'exited' }>, at: number): void {
    const { generation, exit, text, livedMs } = event;
    this.#running.delete(generation);
    if (this.#stopping.delete(generation) && this.#stopping.size === 0) this.#loopGuard.stopped(at);
    if (this.#isCandidate(generation)) {
      const summary =
        exit.kind === 'not-started'
          ? `generation ${generation} could not be started: ${exit.message}`
          : `generation ${generation} ended before it had answered the handshake (${describeExit(exit)})`;
      this.#startFailed({ reason: 'start_failed', summary, text, generation }, at);
      return;
    }
    const summary = `generation ${generation} ended by itself (${describeExit(exit)})`;
    this.#lost({ reason: 'server_crashed', summary, text, generation }, generation, livedMs, at);
    if (this.#state.state === 'making-room' && this.#running.size === 0) {
      const { round, next } = this.#state;
      if (next === 'build') this.#build(round, at);
      else this.#startWithRoom(round, at);
    }
  }

  /** It lives, but nobody can ask it anything, or hear its answer: it has to go like one that ended. */
  #cutOff(event: Extract<ReloadEvent, { type: 'cut-off' }>, at: number): void {
    const { generation, pipe, text, livedMs } = event;
    if (!this.#running.has(generation) || this.#stopping.has(generation)) return;
    this.#stop(generation, at);
    const summary = `generation ${generation} closed its ${pipe} and ran on`;
    if (this.#isCandidate(generation)) {
      const when = 'before it had answered the handshake';
      this.#startFailed({ reason: 'start_failed', summary: `${summary} ${when}`, text, generation }, at);
    } else this.#lost({ reason: 'server_crashed', summary, text, generation }, generation, livedMs, at);
  }

  /** A generation that is no candidate will answer nothing any more. */
  #lost(failure: Failure, generation: number, livedMs: number, at: number): void {
    this.#do({ do: 'session', event: { type: 'gone', generation, failure } });
    if (generation === this.#active) this.#crashed(failure, livedMs, at);
  }

  /** The active generation is gone without our doing. */
  #crashed(failure: Failure, livedMs: number, at: number): void {
    this.#active = undefined;
    const before = this.#predecessor(at);
    if (before !== undefined) {
      this.#active = before;
      this.#broken = failure;
      this.#handOver = undefined;
      this.#report({ event: 'crashed', failure, serving: before, retryMs: undefined });
      this.#do({ do: 'session', event: { type: 'revert', generation: before } });
      if (this.#state.state === 'idle') this.#tellSource(failure);
      return;
    }
    if (this.#state.state !== 'idle') {
      // The round in progress replaces it anyway.
      this.#report({ event: 'crashed', failure, serving: undefined, retryMs: 0 });
      return;
    }
    const trigger: Trigger = { kind: 'crash', generation: failure.generation ?? 0 };
    const round: Round = { trigger, since: at, begunAt: at, buildMs: 0, discarded: 0 };
    this.#retry(failure, true, livedMs, round, (retryMs) => {
      this.#report({ event: 'crashed', failure, serving: undefined, retryMs });
    });
  }

  /**
   * Nothing serves: start again, now or later, or give up until something changes. Requests are held as long
   * as there is hope; `hopeful` is false when nothing that is on disk ever worked.
   */
  #retry(
    failure: Failure,
    hopeful: boolean,
    livedMs: number,
    round: Round,
    report: (retryMs: number | undefined) => void,
  ): void {
    const next = this.#backoff.crashed(livedMs);
    if (next.kind === 'wait-for-change') {
      this.#broken ??= failure;
      report(undefined);
      this.#tellSource(failure);
      return;
    }
    report(next.afterMs);
    this.#state = { state: 'waiting', round };
    this.#setTimer('retry', next.afterMs);
    const certain = (!hopeful && this.#failedStarts >= CERTAIN_AFTER) || next.afterMs > this.#settings.hold;
    if (certain) this.#tellSource(failure);
    else this.#do({ do: 'session', event: { type: 'awaited', change: false } });
  }

  #expired(timer: ReloadTimer, at: number): void {
    switch (timer) {
      case 'retry':
        if (this.#state.state === 'waiting') this.#startWithRoom({ ...this.#state.round, begunAt: at }, at);
        return;
      case 'calm':
        if (this.#isAtRest && this.#suspected !== undefined) this.#take([], this.#suspected.since, at);
        return;
      case 'ready': {
        if (this.#state.state !== 'starting') return;
        const { generation } = this.#state;
        const { readyTimeout } = this.#settings;
        this.#stop(generation, at);
        const summary = `generation ${generation} was not ready within ${readyTimeout} ms of the handshake`;
        const text = this.#settings.lastWords(generation);
        this.#startFailed({ reason: 'start_failed', summary, text, generation }, at);
        return;
      }
    }
  }

  /** Gives up a candidate that is out of date before it could take over. */
  #discard(generation: number, at: number): void {
    this.#clearTimer('ready');
    this.#loopGuard.ended(at, 'aborted');
    const failure: Failure = {
      reason: 'server_restarted',
      summary: `generation ${generation} was out of date before it was ready`,
      text: '',
      generation,
    };
    this.#do({ do: 'session', event: { type: 'gone', generation, failure } });
    this.#stop(generation, at);
  }

  #stop(generation: number, at: number): void {
    this.#stopping.add(generation);
    this.#loopGuard.stopping(at);
    this.#do({ do: 'stop', generation });
  }

  /** The generation that was replaced a moment ago, if it is still there to take over again. */
  #predecessor(at: number): number | undefined {
    if (this.#handOver === undefined || at - this.#handOver.at > REVERT_MS) return undefined;
    const { from } = this.#handOver;
    return this.#running.has(from) && !this.#stopping.has(from) ? from : undefined;
  }

  /** Another generation runs that may hold what this one needs. */
  #hasRival(generation: number): boolean {
    return [...this.#running].some((other) => other !== generation);
  }

  #isCandidate(generation: number): boolean {
    return this.#state.state === 'starting' && this.#state.generation === generation;
  }

  #do(command: ReloadCommand): void {
    this.#commands.push(command);
  }

  #report(report: Report): void {
    this.#do({ do: 'report', report });
  }

  #setTimer(timer: ReloadTimer, ms: number): void {
    this.#do({ do: 'set-timer', timer, ms });
  }

  #clearTimer(timer: ReloadTimer): void {
    this.#do({ do: 'clear-timer', timer });
  }
}

/** The times of a round whose process was started at `startedAt`, and that is over at `at`. */
function phasesOf(round: Round, startedAt: number, at: number): Phases {
  return {
    gather: round.begunAt - round.since,
    build: round.buildMs,
    start: at - startedAt,
    total: at - round.since,
  };
}
