import type { ProcessRow } from '../system/process-table.ts';
import type { Family } from './descendants.ts';
import type { Exit } from './exit.ts';

/**
 * How a generation is stopped. stdin is closed first; both times count from the call of `stop`, not from one
 * another, so that the end is known whatever happens before it.
 */
export interface StopPolicy {
  /** How long the server may take to end by itself, once its stdin is closed. */
  readonly stdinGraceMs: number;
  /** What the process group gets then, and who left it. */
  readonly signal: NodeJS.Signals;
  /** When SIGKILL follows. */
  readonly killAfterMs: number;
}

/** At a swap: the user's signal after half a second, and as much time again as `--kill-timeout` says. */
export function swapPolicy(signal: NodeJS.Signals, killTimeoutMs: number): StopPolicy {
  return { stdinGraceMs: 500, signal, killAfterMs: 500 + killTimeoutMs };
}

/** At the session's end. Clients that sent us SIGTERM send SIGKILL soon: by then nothing may be left. */
export function sessionEndPolicy(signal: NodeJS.Signals, cause: 'client-closed' | 'sigterm'): StopPolicy {
  return { stdinGraceMs: 250, signal, killAfterMs: cause === 'sigterm' ? 500 : 1500 };
}

/** What is left of a generation that ended by itself is asked to go at once. */
const LEFT_OVER_KILL_MS = 1000;
/** A process that SIGKILL does not end in this time hangs in the kernel, or is another user's. */
const GIVE_UP_MS = 1000;
const FIRST_LOOK_MS = 20;
const LONGEST_LOOK_MS = 200;

type Phase =
  | { readonly kind: 'running' }
  | {
      readonly kind: 'closing';
      readonly signal: NodeJS.Signals;
      readonly signalAt: number;
      readonly killAt: number;
    }
  | {
      readonly kind: 'signalled';
      readonly signal: NodeJS.Signals;
      readonly killAt: number;
      readonly reached: Set<number>;
    }
  | { readonly kind: 'killing'; readonly giveUpAt: number }
  | { readonly kind: 'over' };

/**
 * Ends one generation, all of it: running → closing → signalled → killing → over, where over is reached from any
 * phase as soon as nothing is alive. A leader that ends by itself starts the same sequence for what it left.
 * Who ends is found by surveys: one when stopping begins (later the parents that lead to a process may be gone),
 * and then until one that began after the leader's end shows nobody.
 */
export class StopSequence {
  readonly #family: Family;
  readonly #closeStdin: () => void;
  readonly #over: Promise<Exit>;
  #resolveOver!: (exit: Exit) => void;
  #phase: Phase = { kind: 'running' };
  #exit: Exit | undefined;
  #wake = (): void => {};

  constructor(family: Family, closeStdin: () => void) {
    this.#family = family;
    this.#closeStdin = closeStdin;
    this.#over = new Promise((resolve) => {
      this.#resolveOver = resolve;
    });
  }

  /** Resolves when nothing of the generation is alive. A later call can only make it more urgent. */
  stop(policy: StopPolicy): Promise<Exit> {
    const now = performance.now();
    const signalAt = now + policy.stdinGraceMs;
    const killAt = now + policy.killAfterMs;
    const phase = this.#phase;
    switch (phase.kind) {
      case 'running':
        this.#begin({ kind: 'closing', signal: policy.signal, signalAt, killAt });
        break;
      case 'closing':
        this.#hurry({
          kind: 'closing',
          signal: policy.signal,
          signalAt: Math.min(signalAt, phase.signalAt),
          killAt: Math.min(killAt, phase.killAt),
        });
        break;
      case 'signalled':
        this.#hurry({ ...phase, killAt: Math.min(killAt, phase.killAt) });
        break;
      case 'killing':
      case 'over':
        break;
    }
    return this.#over;
  }

  /** To be called in the handler of the leader's 'exit', whoever caused it. */
  leaderEnded(exit: Exit): void {
    this.#exit = exit;
    this.#family.leaderEnded();
    const now = performance.now();
    const phase = this.#phase;
    switch (phase.kind) {
      case 'running':
        this.#begin({ kind: 'closing', signal: 'SIGTERM', signalAt: now, killAt: now + LEFT_OVER_KILL_MS });
        break;
      case 'closing':
        this.#hurry({ ...phase, signalAt: now });
        break;
      case 'signalled':
      case 'killing':
        this.#hurry(phase);
        break;
      case 'over':
        break;
    }
  }

  /** SIGKILL to everything, in this very call. The exit of our own process need not wait for anything then. */
  killNow(): void {
    if (this.#phase.kind !== 'over') this.#family.killNow();
  }

  #begin(phase: Phase): void {
    this.#phase = phase;
    void this.#run();
  }

  #hurry(phase: Phase): void {
    this.#phase = phase;
    this.#wake();
  }

  async #run(): Promise<void> {
    let lookMs = FIRST_LOOK_MS;
    for (;;) {
      // Made before the survey: what happens meanwhile must cut the waiting after it short.
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      const exit = this.#exit;
      const members = await this.#family.survey();
      this.#closeStdin();
      if (exit !== undefined && members.length === 0) return this.#end(exit);
      const deadline = this.#advance(members, performance.now());
      if (deadline === 'give-up') return this.#end(this.#exit ?? KILLED);
      // The leader's end wakes us; the end of the others is nowhere reported and must be looked for.
      const look = exit === undefined ? Number.POSITIVE_INFINITY : performance.now() + lookMs;
      if (exit !== undefined) lookMs = Math.min(lookMs * 2, LONGEST_LOOK_MS);
      await sleepUntil(Math.min(deadline, look), woken);
    }
  }

  /** Does what is due and answers when something will be due next. */
  #advance(members: readonly ProcessRow[], now: number): number | 'give-up' {
    const phase = this.#phase;
    switch (phase.kind) {
      case 'closing':
        if (now < phase.signalAt) return phase.signalAt;
        this.#family.signal(phase.signal, members);
        this.#phase = {
          kind: 'signalled',
          signal: phase.signal,
          killAt: phase.killAt,
          reached: new Set(members.map((row) => row.pid)),
        };
        return this.#advance(members, now);
      case 'signalled': {
        if (now >= phase.killAt) {
          this.#phase = { kind: 'killing', giveUpAt: now + GIVE_UP_MS };
          return this.#advance(members, now);
        }
        // What a server starts while it shuts down is its clean-up, and is left alone until the server is gone.
        if (this.#exit !== undefined) {
          const late = members.filter((row) => !phase.reached.has(row.pid));
          this.#family.signalEach(phase.signal, late);
          for (const row of late) phase.reached.add(row.pid);
        }
        return phase.killAt;
      }
      case 'killing':
        if (now >= phase.giveUpAt) return 'give-up';
        this.#family.signal('SIGKILL', members);
        return phase.giveUpAt;
      case 'running':
      case 'over':
        throw new Error(`a stop sequence that is ${phase.kind} has nothing to advance`);
    }
  }

  #end(exit: Exit): void {
    this.#phase = { kind: 'over' };
    this.#resolveOver(exit);
  }
}

/** What is said of a leader that even SIGKILL did not end in time. */
const KILLED: Exit = { kind: 'exited', code: null, signal: 'SIGKILL' };

/** Resolves at that time of `performance.now()`, or with `sooner`. */
async function sleepUntil(time: number, sooner: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const due = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, time - performance.now()));
  });
  await Promise.race([due, sooner]);
  clearTimeout(timer);
}
