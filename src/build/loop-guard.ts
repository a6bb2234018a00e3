import type { BuildOutcome } from './builder.ts';

/** A change of a watched file; `path` absolute, `at` in ms of the wall clock. */
export interface GuardedChange {
  readonly path: string;
  readonly at: number;
}

interface Build {
  readonly number: number;
  readonly startedAt: number;
  /** Undefined while it runs. */
  readonly end: { readonly at: number; readonly outcome: BuildOutcome['outcome'] } | undefined;
}

/** In how many builds in a row, up to `build`, a file has changed. */
interface Row {
  readonly length: number;
  readonly build: number;
}

/** In so many builds in a row a file's change counts at once, and may abort the build. */
const COUNTS_AT_ONCE = 3;
/** In so many builds in a row it counts at all; from then on the file counts as written by the build. */
const COUNTS = 5;
/** The time that a file system notes may lag behind the clock by so many ms. */
const LAG_MS = 10;
/** Changes are told soon after they were made: older builds are not asked for. */
const BUILDS_KNOWN = 20;

/**
 * Keeps builds that change a watched file from making reloads without end. What the build writes and what
 * a person saves during a build look the same, so that only a long row tells them apart. First such
 * changes count as all others do. Then builds are no longer aborted for them: a change waits for the end
 * of the build, and gets a build of its own, which a person's save does not change again. Where builds go
 * on changing the file it is named, and what is done to it during a build is dropped, until a build
 * succeeds without a change of it. Changes between builds always count.
 *
 * It has no clock: times are those of its caller, on one clock.
 */
export class LoopGuard<C extends GuardedChange> {
  #builds: Build[] = [];
  readonly #rows = new Map<string, Row>();
  readonly #named = new Set<string>();
  #waiting = new Map<string, C>();

  buildStarted(at: number): void {
    const number = (this.#builds.at(-1)?.number ?? 0) + 1;
    this.#builds = [...this.#builds.slice(1 - BUILDS_KNOWN), { number, startedAt: at, end: undefined }];
  }

  /** Gives the changes that had waited for this end, and count now. */
  buildEnded(at: number, outcome: BuildOutcome['outcome']): readonly C[] {
    this.#builds = this.#builds.map((build) => (build.end ? build : { ...build, end: { at, outcome } }));
    const waited = [...this.#waiting.values()];
    this.#waiting = new Map();
    return waited;
  }

  /**
   * `counted` is what starts a reload, or starts a running build over. `named` are the files of which it was
   * recognised just now that the build writes them; each is named once.
   */
  filter(changes: readonly C[]): { readonly counted: readonly C[]; readonly named: readonly string[] } {
    const counted: C[] = [];
    const named: string[] = [];
    for (const change of changes) {
      const build = this.#buildAt(change.at);
      const length = build ? this.#lengthenRow(change.path, build) : 0;
      if (length <= COUNTS_AT_ONCE) counted.push(change);
      else if (length <= COUNTS) this.#wait(change, build, counted);
      else if (!this.#named.has(change.path)) {
        this.#named.add(change.path);
        named.push(change.path);
      }
    }
    return { counted, named };
  }

  #wait(change: C, build: Build | undefined, counted: C[]): void {
    if (build?.end) counted.push(change);
    else this.#waiting.set(change.path, change);
  }

  /** The build during which something was done. */
  #buildAt(at: number): Build | undefined {
    return this.#builds.findLast(({ startedAt, end }) => startedAt - LAG_MS <= at && (!end || at <= end.at));
  }

  #lengthenRow(path: string, { number }: Build): number {
    const row = this.#rows.get(path);
    if (row && row.build >= number) return row.length;
    const between = this.#builds.filter((build) => build.number < number && build.number > (row?.build ?? 0));
    // One that was aborted or failed may have ended before it came to write the file.
    const broken = between.some(({ end }) => end?.outcome === 'built');
    const length = row && !broken ? row.length + 1 : 1;
    this.#rows.set(path, { length, build: number });
    return length;
  }
}
