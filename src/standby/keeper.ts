import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { makeProcessFolder, removeProcessFolder } from '../config/process-folder.ts';
import type { RunConfig } from '../config/run-config.ts';
import type { Launch, ProcessEvents, ServerProcess } from '../generation/process.ts';
import { residentBytes } from '../system/proc.ts';
import { type Fit, type Plan, planStandby } from './plan.ts';
import { withReport, withWait } from './preloads.ts';
import type { Waiting } from './waiting.ts';

export interface KeeperOptions {
  readonly mode: RunConfig['standby'];
  /** What the generation after the one that runs will be started as, as far as that is known. */
  next(): Launch;
  /** The program of the newest generation, where it is another file than that of the next. */
  newest(): string | undefined;
  /** A line for whoever wants to know all. */
  detail(text: string): void;
}

/** Where the standby of a server stands. */
export type StandbyStatus =
  | { readonly kind: 'waiting'; readonly pid: number; readonly residentBytes: number | undefined }
  | { readonly kind: 'loading' }
  /** The reason is one clause. */
  | { readonly kind: 'none'; readonly reason: string };

/** Why there is none where nothing was reported. */
const UNHEARD = 'the server did not load what it was given';

interface Held {
  readonly waiting: Waiting;
  /** What it was started for, as text. */
  readonly purpose: string;
}

/**
 * Keeps at most one process of a server waiting for its turn, and gives it away if all is still as it was when
 * it was started. There is none for a command until a generation has told that what we load into it runs: else
 * a second server would run in its place, with old code.
 */
export class StandbyKeeper {
  readonly #options: KeeperOptions;
  #place: string | undefined;
  #held: Held | undefined;
  #reason = 'no generation has taken over yet';
  /** The way to start the server of which a generation has told, or had the chance to, and why it is in doubt. */
  #trust: { readonly way: string; readonly doubt: string | undefined } | undefined;
  /** The newest generation that was asked to tell and not listened to yet. */
  #asked: number | undefined;
  #starts = 0;
  #preparing = Promise.resolve();
  #life: 'open' | 'closed' = 'open';

  constructor(options: KeeperOptions) {
    this.#options = options;
    if (options.mode === 'off') this.#reason = 'it is switched off';
  }

  get status(): StandbyStatus {
    if (this.#held === undefined) return { kind: 'none', reason: this.#reason };
    const { ready } = this.#held.waiting;
    if (ready === undefined) return { kind: 'loading' };
    return { kind: 'waiting', pid: ready.pid, residentBytes: residentBytes(ready.pid) };
  }

  /** The standby as this generation; undefined when there is none that may be it, and it has to be started. */
  take(generation: number, launch: Launch, events: ProcessEvents): ServerProcess | undefined {
    this.#starts += 1;
    const held = this.#held;
    const ready = held?.waiting.ready;
    if (held === undefined || ready === undefined) return undefined;
    const stale =
      held.purpose !== purposeOf(launch, planStandby(launch))
        ? 'the command or its environment changed'
        : held.waiting.isFresh(ready)
          ? undefined
          : 'something that it had loaded changed';
    if (stale !== undefined) {
      this.#options.detail(`the standby is given up: ${stale}`);
      void this.#discard(stale);
      return undefined;
    }
    this.#held = undefined;
    this.#reason = 'it has become a generation';
    this.#options.detail(`generation ${generation} is the standby, process ${ready.pid}`);
    return held.waiting.go(generation, events);
  }

  /** What to start for a generation that is none of ours, so that it tells whether the next one may be. */
  reporting(generation: number, launch: Launch): Launch {
    if (this.#options.mode === 'off') return launch;
    const plan = planStandby(launch);
    if (plan.kind === 'none') return launch;
    this.#place ??= makeProcessFolder('standby');
    if (this.#place === undefined) return launch;
    this.#asked = generation;
    return withReport(launch, plan, this.#reportOf(this.#place, generation)) ?? launch;
  }

  /** To be called when this generation serves and little happens: starts a standby, unless a good one is there. */
  prepare(generation: number): void {
    if (this.#options.mode === 'off' || this.#life === 'closed') return;
    this.#preparing = this.#preparing.then(() => this.#prepare(generation));
  }

  /** Ends the standby; resolves when it is gone. */
  async close(): Promise<void> {
    this.#life = 'closed';
    await this.#discard('the session ends');
    await this.#preparing;
    this.#removePlace();
  }

  /** The same in this very call. */
  killNow(): void {
    this.#life = 'closed';
    this.#held?.waiting.killNow();
    this.#removePlace();
  }

  async #prepare(generation: number): Promise<void> {
    const starts = this.#starts;
    const isOutdated = (): boolean => this.#life === 'closed' || this.#starts !== starts;
    if (isOutdated()) return;
    const launch = this.#options.next();
    const plan = planStandby(launch);
    if (plan.kind === 'none') return this.#doWithout(plan.reason);
    const doubt = this.#doubt(generation, wayOf(launch, plan.entry));
    if (doubt !== undefined) return this.#doWithout(doubt);
    const purpose = purposeOf(launch, plan);
    if (this.#held !== undefined) {
      const { ready } = this.#held.waiting;
      if (this.#held.purpose === purpose && (ready === undefined || this.#held.waiting.isFresh(ready)))
        return;
      await this.#discard('it is started again');
    }
    try {
      const waiting = await this.#start(launch, plan, isOutdated);
      if (waiting !== undefined) this.#held = { waiting, purpose };
    } catch (error) {
      // No mkfifo, a full disk, our folder removed by somebody.
      if (!(error instanceof Error && 'code' in error)) throw error;
      this.#lost(error.message);
    }
  }

  async #doWithout(reason: string): Promise<void> {
    if (reason !== this.#reason) this.#options.detail(`there is no standby: ${reason}`);
    await this.#discard(reason);
  }

  /**
   * Why a process that is started in this way may not be trusted to wait; undefined: this generation has told that
   * what it was given runs, or, if it was a standby, the one before it.
   */
  #doubt(generation: number, way: string): string | undefined {
    if (this.#asked === generation && this.#place !== undefined) {
      this.#asked = undefined;
      const told = wordsIn(this.#reportOf(this.#place, generation));
      this.#trust = { way, doubt: told === '' ? undefined : (told ?? UNHEARD) };
    }
    return this.#trust?.way === way ? this.#trust.doubt : UNHEARD;
  }

  async #start(launch: Launch, plan: Fit, isOutdated: () => boolean): Promise<Waiting | undefined> {
    const { mode } = this.#options;
    if (this.#place === undefined || mode === 'off') return undefined;
    const place = join(this.#place, `process-${this.#starts}-${Date.now().toString(36)}`);
    const dressed = withWait(launch, plan, place);
    if (dressed === undefined) return undefined;
    // Loaded only now: none of it is needed before the first generation serves.
    const [{ noteGrounds }, { startWaiting }] = await Promise.all([
      import('./grounds.ts'),
      import('./waiting.ts'),
    ]);
    const grounds = await noteGrounds(launch.cwd, plan);
    const load = await this.#whatToLoad(plan, mode);
    if (isOutdated()) return undefined;
    const waiting = await startWaiting({
      place,
      launch: dressed,
      load,
      grounds,
      onLost: (reason) => this.#lost(reason),
    });
    if (this.#life === 'open') return waiting;
    await waiting.end();
    return undefined;
  }

  async #whatToLoad(plan: Fit, mode: 'safe' | 'deps'): Promise<string> {
    // Which only Python itself can read and find.
    if (plan.kind === 'python') return mode;
    const { boundaryPackages } = await import('./boundary.ts');
    return JSON.stringify(await boundaryPackages(this.#options.newest() ?? plan.entry, mode, plan.loader));
  }

  #lost(reason: string): void {
    this.#held = undefined;
    this.#reason = reason;
    if (this.#life === 'open') this.#options.detail(`there is no standby: ${reason}`);
  }

  async #discard(reason: string): Promise<void> {
    this.#reason = reason;
    const held = this.#held;
    this.#held = undefined;
    await held?.waiting.end();
  }

  #reportOf(place: string, generation: number): string {
    return join(place, `reported-${generation}`);
  }

  #removePlace(): void {
    if (this.#place !== undefined) removeProcessFolder(this.#place);
  }
}

/** What a report says; undefined: there is none. It is read once. */
function wordsIn(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  const text = readFileSync(path, 'utf8');
  rmSync(path, { force: true });
  return text;
}

/** All that a process is started with, but for the number of its generation: the same text, the same start. */
function purposeOf({ command, args, cwd, env }: Launch, plan: Plan): string {
  const { MCP_DEV_GENERATION: _, ...rest } = env;
  const folder = statSync(cwd, { throwIfNoEntry: false })?.ino;
  return JSON.stringify([command, args, cwd, folder, rest, plan]);
}

/** How the server is started, whatever its program is called: our own builds have a new name each time. */
function wayOf({ command, args, env }: Launch, entry: string): string {
  const words = args.map((word) => (word === entry ? '' : word));
  return JSON.stringify([command, words, env.PATH, env.NODE_OPTIONS, env.PYTHONPATH]);
}
