import { realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { within } from './paths.ts';
import { systemErrorCode } from './system-error.ts';

export interface FsWatcherOptions {
  /** Absolute folders that exist; where each leads is up to `descend`. */
  readonly folders: readonly string[];
  /** Ms between two looks when polling; undefined uses the system's file events. */
  readonly poll: number | undefined;
  /** Whether a folder found below is watched too. Not asked for `folders` themselves. */
  descend(folder: string): boolean;
  /** Whether a file is of interest: when polling, and of symlinks to files, no others are watched. */
  counts(file: string): boolean;
}

/**
 * What is told. These are signs, not facts: they may be doubled, late, or about a file that did not change.
 * A folder's own files are not told when it is found; list them after `ready`, or some time after `folder`.
 */
export interface FsWatcherEvents {
  /** This folder is watched, or about to be. */
  folder(path: string): void;
  /** The folder is there no more, and with it what it contained. */
  folderGone(path: string): void;
  /** Something happened to what has this path. */
  touched(path: string): void;
  /** Another folder may have taken this one's place, whose content would not be seen. */
  replaced(path: string): void;
  /** This folder is not watched, for a reason such as ENOSPC; those below it may be. */
  failed(path: string, code: string): void;
  /** The search for folders ended before its end, for a reason such as EMFILE; `ready` may never come. */
  broken(code: string): void;
  /** The folders that were there at the start are found and watched. */
  ready(): void;
}

export interface FsWatcher {
  /** No event follows the call. */
  close(): Promise<void>;
}

/**
 * Watches folders. This is all that the rest knows of chokidar, which finds folders and watches them; what
 * happens in one is taken from its `raw` events. Its `change` events come from a watch on each single file
 * (twenty times as many, and as much memory) and drop the second of two writes within 50 ms.
 */
export async function startFsWatcher(options: FsWatcherOptions, events: FsWatcherEvents): Promise<FsWatcher> {
  const { FSWatcher: Chokidar } = await import('chokidar');
  const links = new Links(options);
  const roots = new Set(options.folders);
  let ready = false;

  const ignored = (slashedPath: string, stats?: Stats): boolean => {
    const path = normalize(slashedPath);
    // Without a stat it is asked about paths that it has asked about, or will ask about, with one.
    if (stats === undefined || roots.has(path)) return false;
    if (stats.isSymbolicLink()) return !links.follow(path);
    if (stats.isDirectory()) return !options.descend(path);
    return polls ? !options.counts(path) : !links.isFollowed(path);
  };
  const watcher = new Chokidar({
    ignored,
    atomic: false,
    usePolling: options.poll !== undefined,
    ...(options.poll !== undefined && { interval: options.poll, binaryInterval: options.poll }),
  });
  // An environment variable of chokidar's own can turn polling on.
  const polls = watcher.options.usePolling;

  watcher.on('addDir', (path) => events.folder(path));
  watcher.on('unlinkDir', (path) => events.folderGone(path));
  watcher.on('add', (path) => {
    if (ready) events.touched(path);
  });
  watcher.on('unlink', (path) => events.touched(path));
  watcher.on('change', (path) => events.touched(path));
  watcher.on('raw', (event, name, rawDetails) => {
    const details = rawDetails as RawDetails;
    if (details.watchedPath === undefined) {
      tellPolled(events, name, details);
      return;
    }
    const folder = normalize(details.watchedPath);
    const path = join(folder, name ?? '');
    if (event === 'rename') {
      // An event of the watched thing itself has its own name, and may be the last from it.
      if (name === basename(folder)) events.replaced(folder);
      if (links.isFollowed(path)) events.replaced(path);
    }
    events.touched(links.isFollowed(folder) && name === basename(folder) ? folder : path);
  });
  watcher.on('error', (error) => {
    const code = systemErrorCode(error);
    const { path, syscall } = error as NodeJS.ErrnoException;
    if (syscall === 'watch' && path !== undefined) events.failed(path, code);
    else events.broken(code);
  });
  watcher.on('ready', () => {
    ready = true;
    events.ready();
  });
  watcher.add([...options.folders]);
  return { close: () => watcher.close() };
}

/** The third argument of `raw`, which is not typed: of a file event the watched path, of polling the two stats. */
interface RawDetails {
  readonly watchedPath?: string;
  readonly curr?: Stats;
  readonly prev?: Stats;
}

function tellPolled(events: FsWatcherEvents, path: string, { curr, prev }: RawDetails): void {
  const wasFolder = prev?.isDirectory() === true;
  // Gone is polled as a stat of zeros.
  if (wasFolder && prev.ino !== curr?.ino) events.replaced(path);
  events.touched(path);
}

/** Symlinks that were met: to folders, each entered once however many lead there, and to files. */
class Links {
  readonly #options: FsWatcherOptions;
  readonly #entered = new Map<string, string>();
  readonly #followed = new Set<string>();

  constructor(options: FsWatcherOptions) {
    this.#options = options;
  }

  /** Whether what the symlink leads to is watched through it. */
  follow(link: string): boolean {
    const follows = this.#leadsSomewhere(link);
    if (follows) this.#followed.add(link);
    return follows;
  }

  isFollowed(path: string): boolean {
    return this.#followed.has(path);
  }

  #leadsSomewhere(link: string): boolean {
    try {
      if (!statSync(link).isDirectory()) return this.#options.counts(link);
      if (!this.#options.descend(link)) return false;
      const target = realpathSync(link);
      const firstLink = this.#entered.get(target) ?? link;
      this.#entered.set(target, firstLink);
      const leadsUp = within(target, realpathSync(dirname(link)));
      return firstLink === link && !leadsUp;
    } catch (error) {
      systemErrorCode(error); // leads nowhere, in a circle, or to where we may not look
      return false;
    }
  }
}
