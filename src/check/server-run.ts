import { Journal } from '../journal/journal.ts';
import { loadMaking, type Making, Workshop, type WorkshopEvent } from '../reload/workshop.ts';
import { loadColors } from '../report/colors.ts';
import { Reporter } from '../report/reporter.ts';
import { Attempt, type Outcome } from './attempt.ts';
import type { Bench } from './bench.ts';
import { EraChecks } from './era-checks.ts';
import type { Introduction } from './official-client.ts';
import { ReloadCheck } from './reload-check.ts';
import { type Era, failed, passed, type Verdict } from './report.ts';
import { allSubjects, BUILD, ERA, type EraSubjects, START, subjectsOf } from './subjects.ts';

/** An era that was tried. */
interface Tried {
  readonly attempt: Attempt;
  readonly outcome: Outcome;
  readonly ms: number;
}

/** A server that spoke one era answers in the other one soon, if it does: so many ms, and twice what that took. */
const OTHER_ERA_MS = 3000;

/** All checks of one server, from its build to its last process. */
export class ServerRun {
  readonly #bench: Bench;
  readonly #eras: readonly Era[];
  readonly #subjects: { readonly [E in Era]: EraSubjects };
  readonly #attempts: Attempt[] = [];
  readonly #tried = new Map<Era, Tried>();
  readonly #workshop: Workshop;
  readonly #built: Promise<WorkshopEvent>;

  /** `eras` are tried in this order. Nothing is started yet. */
  static async open(bench: Bench, eras: readonly Era[]): Promise<ServerRun> {
    const { config, onStderr } = bench;
    const colors = await loadColors(config.color);
    const stderr = { write: (text: string) => onStderr(Buffer.from(text)) };
    const { logs } = new Journal();
    // It says little but what the build prints; whether that is shown is for the ports.
    const reporter = new Reporter({
      root: config.root,
      verbosity: 'verbose',
      colors,
      stderr,
      log: undefined,
      logs,
    });
    return new ServerRun(bench, eras, reporter, await loadMaking(config));
  }

  private constructor(bench: Bench, eras: readonly Era[], reporter: Reporter, making: Making | undefined) {
    this.#bench = bench;
    this.#eras = eras;
    const { config, options } = bench;
    this.#subjects = { legacy: subjectsOf('legacy', options), modern: subjectsOf('modern', options) };
    let built: (event: WorkshopEvent) => void;
    this.#built = new Promise((resolve) => {
      built = resolve;
    });
    this.#workshop = new Workshop(config, reporter, (event) => built(event), making);
  }

  /** Resolves when nothing that was started is left. */
  async run(): Promise<void> {
    const { running } = this.#bench;
    running.add(this.#workshop);
    try {
      await this.#checkAll();
    } finally {
      for (const attempt of this.#attempts) await attempt.close();
      await this.#workshop.rest();
      await this.#workshop.close();
      running.delete(this.#workshop);
    }
  }

  async #checkAll(): Promise<void> {
    const { judge, options } = this.#bench;
    const obstacle = await this.#obstacle();
    for (const era of this.#eras) {
      if (obstacle === undefined) await this.#era(era);
      else this.#skip(allSubjects(this.#subjects[era]), obstacle);
    }
    if (options.era !== 'auto') return;
    if (obstacle === undefined) await judge.check(ERA, async () => this.#spoken());
    else judge.skip(ERA, obstacle);
  }

  /** Builds and starts the server; answers why no era can be judged. */
  async #obstacle(): Promise<string | undefined> {
    const { judge } = this.#bench;
    if (!(await this.#build())) {
      judge.skip(START, 'the build failed');
      return 'the build failed';
    }
    const start = (): Promise<Verdict> => this.#start();
    const isStarted = await judge.check(START, start, () => this.#evidence());
    return isStarted ? undefined : 'the server did not start';
  }

  async #build(): Promise<boolean> {
    const { judge, deadline } = this.#bench;
    this.#workshop.build();
    if (!this.#workshop.builds) {
      // Caches are cleared all the same.
      await deadline.race(this.#built);
      judge.skip(BUILD, 'there is nothing to build');
      return true;
    }
    return judge.check(BUILD, async () => {
      const event = await this.#built;
      if (event.type !== 'build-failed') return passed();
      const { summary, text } = event.failure;
      return failed(
        `${summary}: correct what it complains about`,
        text.trim() === '' ? [] : [{ source: 'build', text: text.trimEnd() }],
      );
    });
  }

  /** Tries one era after the other until a process stays. */
  async #start(): Promise<Verdict> {
    let verdict: Verdict | undefined;
    for (const era of this.#eras) {
      const { attempt, outcome } = await this.#try(era);
      if (outcome.kind !== 'ended') return passed();
      const isFound = attempt.process.exit?.kind === 'exited';
      const advice = isFound ? 'let it run until its stdin is closed' : 'correct the command of the server';
      verdict ??= failed(`${outcome.why}: ${advice}`, [...attempt.evidence(), ...attempt.strayEvidence()]);
      await attempt.close();
    }
    return verdict ?? passed();
  }

  /** Starts a process and shakes hands with it in this era. */
  async #try(era: Era): Promise<Tried> {
    const { config, options } = this.#bench;
    const connected = [...this.#tried.values()].find(({ outcome }) => outcome.kind === 'connected');
    const limit =
      options.era === 'auto' && connected !== undefined
        ? Math.min(config.readyTimeout, OTHER_ERA_MS + 2 * connected.ms)
        : config.readyTimeout;
    const start = performance.now();
    const attempt = new Attempt(this.#bench, era, this.#workshop.launch(1));
    this.#attempts.push(attempt);
    const outcome = await attempt.connect(limit);
    const tried = { attempt, outcome, ms: Math.round(performance.now() - start) };
    this.#tried.set(era, tried);
    return tried;
  }

  async #era(era: Era): Promise<void> {
    const { judge, deadline } = this.#bench;
    const subjects = this.#subjects[era];
    const all = allSubjects(subjects);
    if (deadline.cause !== undefined) {
      for (const subject of all) judge.late(subject);
      return;
    }
    const tried = this.#tried.get(era) ?? (await this.#try(era));
    const { attempt, outcome, ms } = tried;
    const unspoken = await this.#unspoken(era, tried);
    if (unspoken !== undefined) {
      await attempt.close();
      return this.#skip(all, unspoken);
    }
    if (outcome.kind !== 'connected') {
      if (outcome.kind === 'over') judge.cut(subjects.handshake, attempt.evidence(), ms);
      else judge.note(subjects.handshake, failed(wordFailure(era, outcome), attempt.evidence()), ms);
      await attempt.close();
      return this.#skip(all.slice(1), 'there was no handshake');
    }
    const { name = 'a server without a name', protocolVersion } = outcome.introduction;
    judge.note(subjects.handshake, passed(`${name}, protocol ${protocolVersion}`), ms);
    await this.#useAll(subjects, attempt, outcome.introduction);
  }

  async #useAll(subjects: EraSubjects, attempt: Attempt, introduction: Introduction): Promise<void> {
    const { judge } = this.#bench;
    const checks = new EraChecks(this.#bench, subjects, attempt);
    await checks.offers(introduction);
    const hadEnded = attempt.process.exit !== undefined;
    await checks.departure();
    await attempt.close();
    const { reload } = subjects;
    if (reload === undefined) return;
    const { lists } = checks;
    if (this.#bench.deadline.cause !== undefined) {
      judge.late(reload);
      return;
    }
    if (hadEnded) return judge.skip(reload, 'the server had ended by itself');
    if (lists === undefined) return judge.skip(reload, 'a list could not be read');
    const check = await ReloadCheck.open(this.#bench, attempt, lists);
    try {
      await judge.check(
        reload,
        () => check.run(),
        () => check.evidence(),
      );
    } finally {
      await check.close();
    }
  }

  /** Why an era makes no sense for this server, when it is for the server to say which ones do. */
  async #unspoken(era: Era, { attempt, outcome }: Tried): Promise<string | undefined> {
    if (this.#bench.options.era !== 'auto') return undefined;
    switch (outcome.kind) {
      case 'connected':
      case 'broken':
      case 'over':
        return undefined;
      case 'refused':
        return `the server does not speak this era: ${outcome.why}`;
      case 'silent':
      case 'ended': {
        const why = `the server does not seem to speak this era: ${outcome.why}`;
        if (era !== this.#eras[0]) return why;
        // Two processes at the same time might be too many.
        await attempt.close();
        const other = this.#eras[1];
        if (other === undefined || this.#bench.deadline.cause !== undefined) return undefined;
        const { outcome: second } = this.#tried.get(other) ?? (await this.#try(other));
        return second.kind === 'connected' ? why : undefined;
      }
    }
  }

  /** Which eras the server chose. */
  #spoken(): Verdict {
    const tried = [...this.#tried.values()];
    const versions = tried.flatMap(({ attempt, outcome }) =>
      outcome.kind === 'connected' ? [`${attempt.era} (${outcome.introduction.protocolVersion})`] : [],
    );
    if (versions.length > 0) return passed(versions.join(' and '));
    const isJudged = this.#bench.judge.results.some(
      ({ id, status }) => id.endsWith('.handshake') && status === 'failed',
    );
    if (isJudged) return { status: 'skipped', message: 'no handshake succeeded' };
    const reasons = tried.flatMap(({ outcome }) => ('why' in outcome ? [outcome.why] : []));
    return failed(
      `it speaks none: ${reasons.join(', and ')}; answer initialize, as every server up to 2025-11-25 does, or server/discover`,
      this.#evidence(),
    );
  }

  #evidence(): ReturnType<Attempt['evidence']> {
    return this.#attempts.at(-1)?.evidence() ?? [];
  }

  #skip(subjects: readonly { readonly id: string; readonly title: string }[], why: string): void {
    for (const subject of subjects) this.#bench.judge.skip(subject, why);
  }
}

function wordFailure(era: Era, outcome: Exclude<Outcome, { kind: 'connected' | 'over' }>): string {
  const request = era === 'legacy' ? 'initialize' : 'server/discover';
  switch (outcome.kind) {
    case 'refused':
      return `the server does not speak the ${era} era: ${outcome.why}; support it, or leave it out with --era`;
    case 'broken':
      return `${outcome.why}: correct what it answers to ${request}`;
    case 'silent':
      return `${outcome.why}: answer it sooner, or give it more time with --ready-timeout`;
    case 'ended':
      return `${outcome.why}: answer it and run on until stdin is closed`;
  }
}
