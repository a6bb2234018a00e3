import { type Deadline, OVER } from './deadline.ts';
import { type CheckResult, type Evidence, failed, type Subject, skipped, type Verdict } from './report.ts';

/** What hears of the checks as they go. */
export interface JudgePorts {
  onBegin(subject: Subject): void;
  onResult(result: CheckResult): void;
}

/** Names, times and keeps each check of one server. */
export class Judge {
  readonly #deadline: Deadline;
  readonly #ports: JudgePorts;
  readonly #results: CheckResult[] = [];
  /** The end of the run failed a check already. */
  #isCutShort = false;

  constructor(deadline: Deadline, ports: JudgePorts) {
    this.#deadline = deadline;
    this.#ports = ports;
  }

  /** In the order in which they were made. */
  get results(): readonly CheckResult[] {
    return this.#results;
  }

  /**
   * Makes a check and answers whether it did not fail. When the run is over before it is, it failed; once the run is
   * over it is `late`. `evidence` is what a check that ran out of time can show.
   */
  async check(
    subject: Subject,
    work: () => Promise<Verdict>,
    evidence: () => readonly Evidence[] = () => [],
  ): Promise<boolean> {
    if (this.#deadline.cause !== undefined) return this.late(subject);
    this.#ports.onBegin(subject);
    const start = performance.now();
    const verdict = await this.#deadline.race(work());
    const ms = Math.round(performance.now() - start);
    return verdict === OVER ? this.cut(subject, evidence(), ms) : this.#keep(subject, verdict, ms);
  }

  /** Keeps a check that the end of the run met: it failed. `evidence` is what there is to show. */
  cut(subject: Subject, evidence: readonly Evidence[], ms: number): boolean {
    this.#isCutShort = true;
    return this.#keep(subject, failed(this.#deadline.explanation, evidence), ms);
  }

  /**
   * Keeps a check that the end of the run came before, and answers whether it did not fail. The first one did, unless
   * the end met another one: who was not looked at may not pass.
   */
  late(subject: Subject): boolean {
    if (!this.#isCutShort) return this.cut(subject, [], 0);
    return this.#keep(subject, skipped('no time was left for it'), 0);
  }

  /** Keeps a check that was made elsewhere, and took so long. */
  note(subject: Subject, verdict: Verdict, ms: number): void {
    this.#keep(subject, verdict, ms);
  }

  /** Keeps a check that makes no sense. */
  skip(subject: Subject, why: string): void {
    this.#keep(subject, skipped(why), 0);
  }

  #keep(subject: Subject, verdict: Verdict, ms: number): boolean {
    const result: CheckResult = { ...subject, ...verdict, ms };
    this.#results.push(result);
    this.#ports.onResult(result);
    return verdict.status !== 'failed';
  }
}
