import { awaitFolder } from './await-folder.ts';
import { describeFault, type Fault } from './faults.ts';
import { type FsWatcher, type FsWatcherEvents, startFsWatcher } from './fs-watcher.ts';
import { isFolder } from './is-folder.ts';
import { outermost } from './paths.ts';
import type { Strangers } from './survey.ts';

export interface TreeOptions {
  /** Absolute; it may come, go and come again. */
  readonly folder: string;
  /** Ms between two looks; undefined uses file events, and polls only where there are none to be had. */
  readonly poll: number | undefined;
  descend(folder: string): boolean;
  counts(file: string): boolean;
}

export interface TreeEvents {
  /** These folders are watched now. Their files are to be surveyed, also when told again. */
  found(folders: readonly string[], strangers: Strangers): void;
  /** These folders may be gone, with their files. */
  gone(folders: readonly string[]): void;
  /** Something may have happened to what has this path. */
  touched(path: string): void;
  fault(fault: Fault): void;
}

type State =
  | { readonly kind: 'new' }
  /** The folder is not there. */
  | { readonly kind: 'waiting'; readonly stop: () => void }
  /** A watcher is being loaded, or the last one closed. */
  | { readonly kind: 'changing' }
  | { readonly kind: 'scanning'; readonly watcher: FsWatcher }
  | { readonly kind: 'watching'; readonly watcher: FsWatcher; poller: Poller | undefined }
  | { readonly kind: 'closed' };

/** Looks at what file events do not cover. */
interface Poller {
  readonly watcher: FsWatcher;
  readonly folders: readonly string[];
}

/** Ms that a watcher gets to notice by itself that a folder was replaced; a checkout also ends meanwhile. */
const SETTLE = 150;
/** Ms between two looks at what file events do not cover. */
const FALLBACK_POLL = 1000;
/** Ms until a search for folders that failed is made again. */
const RETRY = 1000;

/**
 * One folder with what is below it, watched for as long as the session lasts: it may not exist yet, be
 * removed, renamed away and made again, and no part of it stays unseen because the system refused a watch.
 */
export class Tree {
  readonly #options: TreeOptions;
  readonly #events: TreeEvents;
  #state: State = { kind: 'new' };
  /** Watched folders, each with the number of the time that it was found. */
  readonly #folders = new Map<string, number>();
  #found = 0;
  readonly #suspects = new Map<string, number>();
  readonly #uncovered = new Map<string, string>();
  /** What files are that are not noted: until all folders were found once, what was there before. */
  #strangers: Strangers = 'inventory';
  readonly #missed = new Set<string>();
  readonly #told = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  /** Everything that is there is watched, or nothing is there. */
  readonly ready: Promise<void>;
  #becomeReady: () => void = () => {};

  constructor(options: TreeOptions, events: TreeEvents) {
    this.#options = options;
    this.#events = events;
    this.ready = new Promise((resolve) => {
      this.#becomeReady = resolve;
    });
    void this.#begin(this.#strangers, []);
  }

  /** These subfolders are in a folder; one that should be watched by now, and is not, was missed. */
  expect(folder: string, subfolders: readonly string[]): void {
    if (!this.#folders.has(folder)) return;
    const missed = subfolders.filter((path) => !this.#folders.has(path) && this.#options.descend(path));
    const news = missed.filter((path) => !this.#missed.has(path));
    // Missed again after a rescan, it is one that cannot be watched.
    for (const path of news) this.#missed.add(path);
    if (news.length > 0) void this.rescan(this.#strangers);
  }

  /** Looks for all folders anew and watches them, as a watch that became blind can't be told from a calm one. */
  async rescan(strangers: Strangers): Promise<void> {
    const state = this.#state;
    if (state.kind !== 'scanning' && state.kind !== 'watching') return;
    this.#state = { kind: 'changing' };
    await closeWatchers(state);
    const before = [...this.#folders.keys()];
    this.#folders.clear();
    this.#suspects.clear();
    this.#uncovered.clear();
    await this.#begin(strangers, before);
  }

  /** No event follows the call. */
  async close(): Promise<void> {
    const state = this.#state;
    this.#state = { kind: 'closed' };
    clearTimeout(this.#timer);
    this.#becomeReady();
    if (state.kind === 'waiting') state.stop();
    if (state.kind === 'scanning' || state.kind === 'watching') await closeWatchers(state);
  }

  get #isClosed(): boolean {
    return this.#state.kind === 'closed';
  }

  /** @param before the folders that were watched until now, some of which may have gone unseen */
  async #begin(strangers: Strangers, before: readonly string[]): Promise<void> {
    if (this.#isClosed) return;
    const { folder, poll, descend, counts } = this.#options;
    if (!isFolder(folder)) {
      const stop = awaitFolder(folder, poll, () => void this.#begin('new', []));
      this.#state = { kind: 'waiting', stop };
      this.#strangers = 'new';
      if (before.length > 0) this.#events.gone(before);
      this.#becomeReady();
      return;
    }
    this.#state = { kind: 'changing' };
    const watcher = await startFsWatcher(
      { folders: [folder], poll, descend, counts },
      { ...this.#signs(), ready: () => this.#scanned(watcher, strangers, before) },
    );
    if (this.#isClosed) await watcher.close();
    else this.#state = { kind: 'scanning', watcher };
  }

  #scanned(watcher: FsWatcher, strangers: Strangers, before: readonly string[]): void {
    if (this.#isClosed) return;
    this.#state = { kind: 'watching', watcher, poller: undefined };
    this.#strangers = 'new';
    this.#events.found([...this.#folders.keys()], strangers);
    const gone = before.filter((folder) => !this.#folders.has(folder));
    if (gone.length > 0) this.#events.gone(gone);
    this.#becomeReady();
    if (this.#uncovered.size > 0) void this.#pollUncovered();
  }

  /** What a watcher or poller tells, but for `ready`. */
  #signs(): Omit<FsWatcherEvents, 'ready'> {
    return {
      folder: (path) => {
        if (this.#folders.has(path)) return;
        this.#folders.set(path, ++this.#found);
        // During a scan it may not be watched yet; all are told at the end.
        if (this.#state.kind === 'watching') this.#events.found([path], 'new');
      },
      folderGone: (path) => {
        if (path === this.#options.folder) this.#suspect(path);
        else this.#folders.delete(path);
        this.#events.gone([path]);
      },
      touched: (path) => this.#events.touched(path),
      replaced: (path) => this.#suspect(path),
      failed: (path, code) => {
        this.#uncovered.set(path, code);
        this.#settle(SETTLE);
      },
      broken: (code) => {
        const { folder } = this.#options;
        this.#tell(code, [folder], `tried again every ${RETRY} ms`);
        this.#becomeReady();
        this.#suspects.set(folder, this.#folders.get(folder) ?? 0);
        this.#settle(RETRY);
      },
    };
  }

  #suspect(folder: string): void {
    const found = this.#folders.get(folder);
    if (found === undefined) return;
    this.#suspects.set(folder, found);
    this.#settle(SETTLE);
  }

  #settle(delay: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      // Still held for the folder that it was: its watch is that of another, or of none.
      const blind = [...this.#suspects].some(([folder, found]) => this.#folders.get(folder) === found);
      this.#suspects.clear();
      if (blind) void this.rescan(this.#strangers);
      else if (this.#uncovered.size > 0) void this.#pollUncovered();
    }, delay);
  }

  /** Polls what file events do not cover, all of it with one poller, and says so once for each reason. */
  async #pollUncovered(): Promise<void> {
    const state = this.#state;
    if (state.kind !== 'watching') return;
    const poll = this.#options.poll ?? FALLBACK_POLL;
    for (const code of new Set(this.#uncovered.values())) {
      const folders = [...this.#uncovered].filter(([, why]) => why === code).map(([folder]) => folder);
      this.#tell(code, folders, `polled every ${poll} ms instead`);
    }
    const folders = outermost(this.#uncovered.keys()).filter(isFolder);
    if (folders.every((folder) => state.poller?.folders.includes(folder))) return;
    const { descend, counts } = this.#options;
    // What happened before the first look is found by listing everything once more.
    const ready = () => this.#events.found([...this.#folders.keys()], 'new');
    const watcher = await startFsWatcher(
      { folders, poll, descend, counts },
      { ...this.#signs(), failed: () => {}, ready },
    );
    const former = this.#state === state ? state.poller?.watcher : watcher;
    if (this.#state === state) state.poller = { watcher, folders };
    await former?.close();
  }

  /** Once for each reason: at a limit of the system every new folder would be one more fault. */
  #tell(code: string, folders: readonly string[], instead: string): void {
    if (this.#told.has(code)) return;
    this.#told.add(code);
    this.#events.fault(describeFault(code, folders, instead));
  }
}

async function closeWatchers(state: Extract<State, { kind: 'scanning' | 'watching' }>): Promise<void> {
  await state.watcher.close();
  if (state.kind === 'watching') await state.poller?.watcher.close();
}
