/** A change of a watched file; `path` absolute, `at` in ms of the wall clock. */
export interface GuardedChange {
  readonly path: string;
  readonly at: number;
}

/** How a round ended: its code serves, it failed, or something newer took its place. */
export type RoundOutcome = 'served' | 'failed' | 'aborted';

interface Round {
  readonly number: number;
  readonly startedAt: number;
  /** When its build was done; undefined before. */
  readonly builtAt: number | undefined;
  /** Undefined while it goes on. */
  readonly end: { readonly at: number; readonly outcome: RoundOutcome } | undefined;
  /** When processes that it made superfluous ended; the second is undefined while they do. */
  readonly stop: { readonly from: number; readonly to: number | undefined } | undefined;
}

/** In how many rounds in a row, up to `round`, a file has changed in the same part of the round. */
interface Row {
  readonly length: number;
  readonly round: number;
}

/** What the changes of a batch are. */
export interface Filtered<C> {
  /** They start a reload, or start a running one over. */
  readonly counted: readonly C[];
  /** They count, too, but when the round is over and it is calm. */
  readonly suspected: readonly C[];
  /** The files of which it was recognised just now that reloads write them; each is named once. */
  readonly named: readonly string[];
}

/** In so many rounds in a row a file's change counts at once, and may abort the round. */
const COUNTS_AT_ONCE = 3;
/** In so many rounds in a row it counts at all; from then on the file counts as written by the reload. */
const COUNTS = 5;
/** So many rounds that served without a change of the file break a row; one write may fall into the next round. */
const BREAKS = 2;
/** The time that a file system notes may lag behind the clock by so many ms, on a busy machine. */
const LAG_MS = 100;
/** What a server writes so soon after its start, in ms, belongs to the start. */
const SETTLE_MS = 500;
/** Changes are told soon after they were made: older rounds are not asked for. */
const ROUNDS_KNOWN = 20;

/**
 * Keeps builds and servers that change a watched file from making reloads without end. What they write and what a
 * person saves meanwhile look the same, so that only a long row tells them apart.
 *
 * A round is one reload: from the beginning of its build until its code serves, and again while what it replaced
 * is stopped. First changes within a round count as all others do. Then rounds are no longer aborted for them:
 * they wait until it has been calm after the round. Who saves again and again does so in that time, too, and the
 * row is broken by it. Where it is not, the file is named, and what is done to it in that part of a round (the
 * build, the start or the stop) is dropped, until rounds succeed without. Changes between rounds always count.
 *
 * It has no clock: times are those of its caller, on one clock.
 */
export class LoopGuard<C extends GuardedChange> {
  #rounds: Round[] = [];
  /** By the part of a round: a person may well save during a start what a build writes. */
  readonly #rows = {
    build: new Map<string, Row>(),
    start: new Map<string, Row>(),
    stop: new Map<string, Row>(),
  };
  readonly #named = new Set<string>();

  /** A round begins, unless one goes on: then this is another step of it. */
  began(at: number): void {
    const last = this.#rounds.at(-1);
    if (last !== undefined && last.end === undefined) return;
    const round: Round = {
      number: (last?.number ?? 0) + 1,
      startedAt: at,
      builtAt: undefined,
      end: undefined,
      stop: undefined,
    };
    this.#rounds = [...this.#rounds.slice(1 - ROUNDS_KNOWN), round];
  }

  /** The round's build is done, and its start begins. */
  built(at: number): void {
    this.#rounds = this.#rounds.map((round) => (round.end ? round : { ...round, builtAt: at }));
  }

  ended(at: number, outcome: RoundOutcome): void {
    this.#rounds = this.#rounds.map((round) => (round.end ? round : { ...round, end: { at, outcome } }));
  }

  /** A process is told to end. */
  stopping(at: number): void {
    const last = this.#rounds.pop();
    if (last !== undefined) {
      this.#rounds.push({ ...last, stop: { from: last.stop?.from ?? at, to: undefined } });
    }
  }

  /** All that were told to end have ended. */
  stopped(at: number): void {
    this.#rounds = this.#rounds.map((round) =>
      round.stop && round.stop.to === undefined ? { ...round, stop: { ...round.stop, to: at } } : round,
    );
  }

  filter(changes: readonly C[]): Filtered<C> {
    const counted: C[] = [];
    const suspected: C[] = [];
    const named: string[] = [];
    for (const change of changes) {
      const length = this.#lengthenRow(change);
      if (length <= COUNTS_AT_ONCE) counted.push(change);
      else if (length <= COUNTS) suspected.push(change);
      else if (!this.#named.has(change.path)) {
        this.#named.add(change.path);
        named.push(change.path);
      }
    }
    return { counted, suspected, named };
  }

  /** The length of the row that the change belongs to, itself included; 0 for a change between rounds. */
  #lengthenRow({ path, at }: C): number {
    const round = this.#roundAt(at);
    if (round === undefined) {
      // Somebody else writes it, too, and so may have written it all along.
      if (!this.#named.has(path)) for (const rows of Object.values(this.#rows)) rows.delete(path);
      return 0;
    }
    const rows = this.#rows[partAt(round, at)];
    const row = rows.get(path);
    if (row && row.round >= round.number) return row.length;
    const between = this.#rounds.filter(({ number }) => number < round.number && number > (row?.round ?? 0));
    // One that was aborted or failed may have ended before it came to write the file.
    const without = between.filter(({ end }) => end?.outcome === 'served').length;
    const broken = without >= BREAKS;
    const length = row && !broken ? row.length + 1 : 1;
    rows.set(path, { length, round: round.number });
    return length;
  }

  /** The round within which something was done. */
  #roundAt(at: number): Round | undefined {
    return this.#rounds.findLast((round) => isMaking(round, at) || isStopping(round, at));
  }
}

function partAt(round: Round, at: number): 'build' | 'start' | 'stop' {
  if (!isMaking(round, at)) return 'stop';
  return round.builtAt !== undefined && at > round.builtAt ? 'start' : 'build';
}

/** Whether it is built, started, or has just been. */
function isMaking({ startedAt, end }: Round, at: number): boolean {
  return startedAt - LAG_MS <= at && (!end || at <= end.at + SETTLE_MS);
}

function isStopping({ stop }: Round, at: number): boolean {
  return stop !== undefined && stop.from - LAG_MS <= at && (stop.to === undefined || at <= stop.to);
}
