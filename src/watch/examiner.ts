import type { Change } from './change.ts';
import type { Look, Passing } from './ledger.ts';

export interface ExaminerOptions {
  /** Looks at a file; 'accept' must not answer 'passing'. */
  look(path: string, patience: 'settle' | 'accept'): Promise<Look>;
  /** @param noticedAt when the first sign of it came, on the clock of `performance.now()` */
  onChange(change: Change, noticedAt: number): void;
  /** No file is queued, being looked at, or given time any more. */
  onIdle(): void;
}

/** Where one file is between a sign that something happened to it and the verdict. */
type Case =
  | { readonly kind: 'queued'; readonly noticedAt: number; readonly passingSince: number | undefined }
  | {
      readonly kind: 'looking';
      readonly noticedAt: number;
      readonly passingSince: number | undefined;
      readonly patience: 'settle' | 'accept';
      /** A sign came during the look, which may have missed what it stands for. */
      again: number | undefined;
    }
  | {
      readonly kind: 'passing';
      readonly noticedAt: number;
      readonly passingSince: number;
      readonly timer: NodeJS.Timeout;
    };

/** Files read at the same time; the thread pool behind them has four threads. */
const LOOKS_AT_ONCE = 6;
/** How long a file may be missing or empty: editors and compilers take that long between two steps. */
const GAP = 100;
/** How long a file that is shorter than it was may stay as it is until its writer counts as done. */
const STILL = 10;
const LONGEST_WRITE = 1000;

/** Turns signs (events, which may be late, doubled or meaningless) into one verdict for each file. */
export class Examiner {
  readonly #options: ExaminerOptions;
  readonly #cases = new Map<string, Case>();
  #queue: string[] = [];
  /** Index of the queue's first entry; taking it off an array of thousands would move all others. */
  #head = 0;
  #looks = 0;

  constructor(options: ExaminerOptions) {
    this.#options = options;
  }

  /** Whether a verdict is outstanding. */
  get busy(): boolean {
    return this.#cases.size > 0;
  }

  /** Something may have happened to the file. */
  hint(path: string): void {
    const now = performance.now();
    const current = this.#cases.get(path);
    switch (current?.kind) {
      case undefined:
        this.#enqueue(path, { kind: 'queued', noticedAt: now, passingSince: undefined });
        return;
      case 'queued':
        return;
      case 'looking':
        current.again = now;
        return;
      case 'passing':
        clearTimeout(current.timer);
        this.#enqueue(path, { kind: 'queued', noticedAt: now, passingSince: current.passingSince });
        return;
      default:
        current satisfies never;
    }
  }

  /** Forgets everything; no callback follows. */
  close(): void {
    for (const current of this.#cases.values()) if (current.kind === 'passing') clearTimeout(current.timer);
    this.#cases.clear();
    this.#queue = [];
    this.#head = 0;
  }

  #enqueue(path: string, queued: Extract<Case, { kind: 'queued' }>): void {
    this.#cases.set(path, queued);
    this.#queue.push(path);
    this.#pump();
  }

  #pump(): void {
    while (this.#looks < LOOKS_AT_ONCE) {
      const path = this.#queue[this.#head];
      if (path === undefined) {
        this.#queue = [];
        this.#head = 0;
        return;
      }
      this.#head++;
      const queued = this.#cases.get(path);
      if (queued?.kind === 'queued') void this.#look(path, { ...queued, patience: 'settle' });
    }
  }

  async #look(
    path: string,
    begin: Omit<Extract<Case, { kind: 'looking' }>, 'kind' | 'again'>,
  ): Promise<void> {
    const current: Case = { ...begin, kind: 'looking', again: undefined };
    this.#cases.set(path, current);
    this.#looks++;
    const look = await this.#options.look(path, begin.patience);
    this.#looks--;
    if (this.#cases.get(path) !== current) return; // closed
    this.#conclude(path, current, look);
    this.#pump();
    if (!this.busy) this.#options.onIdle();
  }

  #conclude(path: string, current: Extract<Case, { kind: 'looking' }>, look: Look): void {
    if (look.kind === 'change') this.#options.onChange(look.change, current.noticedAt);
    const passingSince = look.kind === 'passing' ? (current.passingSince ?? current.noticedAt) : undefined;
    if (current.again !== undefined) {
      this.#enqueue(path, { kind: 'queued', noticedAt: current.again, passingSince });
    } else if (look.kind === 'passing' && passingSince !== undefined) {
      const delay = patienceLeft(look.passing, passingSince);
      const { noticedAt } = current;
      // What was seen in the middle of a write says nothing of what comes next: that may be passing too.
      const patience = look.passing === 'unsteady' && delay > 0 ? 'settle' : 'accept';
      const timer = setTimeout(() => void this.#look(path, { noticedAt, passingSince, patience }), delay);
      this.#cases.set(path, { kind: 'passing', noticedAt, passingSince, timer });
    } else {
      this.#cases.delete(path);
    }
  }
}

/** Ms until a state that did not pass is taken for what the file is now. */
function patienceLeft(passing: Passing, since: number): number {
  const now = performance.now();
  switch (passing) {
    case 'missing':
    case 'empty':
      return Math.max(0, since + GAP - now);
    case 'shrunk':
    case 'unsteady':
      return Math.max(0, Math.min(STILL, since + LONGEST_WRITE - now));
  }
}
