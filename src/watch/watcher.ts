import { basename, dirname } from 'node:path';
import { Batcher, type Hold } from './batcher.ts';
import type { Change } from './change.ts';
import { Examiner } from './examiner.ts';
import { gitHoldsIndex } from './git-lock.ts';
import { Ledger } from './ledger.ts';
import { NoteTaker } from './note-taker.ts';
import { Scope } from './scope.ts';
import { type Strangers, type SurveyJob, Surveyor } from './survey.ts';
import { Tree } from './tree.ts';
import type { Watch, WatchEvents, WatchOptions } from './watch.ts';

/** Ms after which a new folder is listed again: it may have been listed before its watch was set up. */
const SECOND_LOOK = 150;
const LAST_LOOK = 1000;
/** So many signs in a row, less than `CALM` ms apart, may have been more than the system's queue can hold. */
const STORM = 500;
const CALM = 1000;

/** Puts the parts together: trees give signs, the examiner turns them into changes, the batcher into batches. */
export class Watcher implements Watch {
  readonly ready: Promise<void>;
  readonly #options: WatchOptions;
  readonly #events: WatchEvents;
  readonly #scope: Scope;
  readonly #ledger = new Ledger(Date.now());
  readonly #examiner: Examiner;
  readonly #surveyor: Surveyor;
  readonly #noteTaker: NoteTaker;
  readonly #batcher: Batcher;
  readonly #trees = new Map<string, Tree>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #batchTimer: NodeJS.Timeout | undefined;
  /** Set until what a storm may have left unseen is looked for. */
  #storm: NodeJS.Timeout | undefined;
  #signs = 0;
  #lastSign = Number.NEGATIVE_INFINITY;
  #open = true;

  constructor(options: WatchOptions, events: WatchEvents) {
    this.#options = options;
    this.#events = events;
    this.#scope = new Scope(options);
    this.#batcher = new Batcher(options.debounce);
    this.#examiner = new Examiner({
      look: (path, patience) => this.#ledger.look(path, patience),
      onChange: (change, noticedAt) => this.#take(change, noticedAt),
      onIdle: () => this.#advance(),
    });
    const hint = (path: string) => this.#hint(path);
    this.#noteTaker = new NoteTaker(this.#ledger, hint);
    this.#surveyor = new Surveyor({ ledger: this.#ledger, counts: (path) => this.#concerns(path), hint });
    this.#plant();
    this.ready = this.#becomeReady();
  }

  setInputs(files: Iterable<string>, lastBuildFailed: boolean): void {
    const inputs = new Set(files);
    this.#scope.setInputs(inputs, lastBuildFailed);
    for (const folder of new Set([...inputs].map((file) => dirname(file)))) {
      this.#surveyor.surveyNow({ folder, strangers: 'inventory' });
    }
    this.#noteTaker.wake();
    this.#plant();
  }

  setBaseline(wallClockMs: number): void {
    this.#ledger.baseline = wallClockMs;
  }

  async close(): Promise<void> {
    this.#open = false;
    clearTimeout(this.#batchTimer);
    for (const timer of this.#timers) clearTimeout(timer);
    this.#examiner.close();
    this.#noteTaker.close();
    await Promise.all([...this.#trees.values()].map((tree) => tree.close()));
  }

  async #becomeReady(): Promise<void> {
    await Promise.all([...this.#trees.values()].map((tree) => tree.ready));
    await this.#surveyor.survey([]);
  }

  /** Starts the trees of the plan that are not there, and ends those that are not in it any more. */
  #plant(): void {
    const plans = new Map(this.#scope.plan().map((plan) => [plan.key, plan]));
    for (const [key, tree] of this.#trees) {
      if (plans.has(key)) continue;
      this.#trees.delete(key);
      void tree.close();
    }
    for (const [key, { folder, descend }] of plans) {
      if (this.#trees.has(key)) continue;
      const counts = (path: string) => this.#concerns(path);
      const tree = new Tree(
        { folder, poll: this.#options.poll, descend, counts },
        {
          found: (folders, strangers) => void this.#surveyFound(folders, strangers),
          gone: (folders) => this.#gone(folders),
          touched: (path) => this.#touched(path),
          fault: (fault) => this.#events.onFault(fault),
        },
      );
      this.#trees.set(key, tree);
    }
  }

  /** Whether the file counts, or decides which files do. */
  #concerns(path: string): boolean {
    return isRuleFile(path) || this.#scope.counts(path);
  }

  #hint(path: string): void {
    if (this.#open) this.#examiner.hint(path);
  }

  #touched(path: string): void {
    const now = performance.now();
    this.#signs = now - this.#lastSign < CALM ? this.#signs + 1 : 1;
    this.#lastSign = now;
    if (this.#signs >= STORM) this.#storm ??= this.#later(CALM, () => this.#afterStorm());
    if (this.#concerns(path)) this.#hint(path);
  }

  #afterStorm(): void {
    this.#storm = undefined;
    this.#signs = 0;
    void this.#surveyThoroughly(this.#ledger.listedFolders());
  }

  #gone(folders: readonly string[]): void {
    for (const path of folders.flatMap((folder) => this.#ledger.filesIn(folder))) {
      if (this.#concerns(path)) this.#hint(path);
    }
  }

  async #surveyFound(folders: readonly string[], strangers: Strangers): Promise<void> {
    await this.#survey(folders, strangers);
    if (!this.#open) return;
    this.#later(SECOND_LOOK, () => void this.#survey(folders, 'new'));
    this.#later(LAST_LOOK, () => void this.#surveyThoroughly(folders));
  }

  async #survey(folders: readonly string[], strangers: Strangers): Promise<void> {
    await this.#surveyor.survey(folders.map((folder) => ({ folder, strangers })));
    this.#noteTaker.wake();
  }

  /** Finds folders that were missed, too. To be called when the trees had time to find them by themselves. */
  async #surveyThoroughly(folders: readonly string[]): Promise<void> {
    const jobs = folders.map((folder): SurveyJob => {
      const onSubfolders = (subfolders: readonly string[]) => {
        for (const tree of this.#trees.values()) tree.expect(folder, subfolders);
      };
      return { folder, strangers: 'new', onSubfolders };
    });
    await this.#surveyor.survey(jobs);
  }

  #take(change: Change, noticedAt: number): void {
    if (isRuleFile(change.path)) this.#changeRules();
    if (!this.#scope.counts(change.path)) return;
    this.#events.onChange(change);
    this.#batcher.add(change, performance.now(), noticedAt, this.#scope.isCompiled(change.path));
    if (this.#batchTimer === undefined) this.#advance();
  }

  #changeRules(): void {
    this.#scope.forgetRules();
    // What becomes visible now has not changed by that.
    void this.#survey(this.#ledger.listedFolders(), 'inventory');
    this.#plant();
    for (const tree of this.#trees.values()) void tree.rescan('inventory');
  }

  #advance(): void {
    clearTimeout(this.#batchTimer);
    this.#batchTimer = undefined;
    if (!this.#open) return;
    const now = performance.now();
    const step = this.#batcher.next(now, this.#hold());
    switch (step.kind) {
      case 'idle':
        return;
      case 'wait':
        this.#batchTimer = setTimeout(() => this.#advance(), step.until - now);
        return;
      case 'batch':
        this.#events.onBatch(step.changes);
        return;
    }
  }

  #hold(): Hold {
    if (gitHoldsIndex(this.#options.root)) return 'git';
    return this.#examiner.busy ? 'looking' : 'none';
  }

  /** Calls back after so many ms, unless closed by then. Not to be called once closed. */
  #later(ms: number, action: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, ms);
    this.#timers.add(timer);
    return timer;
  }
}

function isRuleFile(path: string): boolean {
  return basename(path) === '.gitignore';
}
