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
   * over it is skipped. `evidence` is what a check that ran out of time can show.
   */
  async check(
    subject: Subject,
    work: () => Promise<Verdict>,
    evidence: () => readonly Evidence[] = () => [],
  ): Promise<boolean> {
    if (this.#deadline.cause !== undefined) return this.#keep(subject, skipped('no time was left for it'), 0);
    this.#ports.onBegin(subject);
    const start = performance.now();
    const verdict = await this.#deadline.race(work());
    const ms = Math.round(performance.now() - start);
    return this.#keep(
      subject,
      verdict === OVER ? failed(this.#deadline.explanation, evidence()) : verdict,
      ms,
    );
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
