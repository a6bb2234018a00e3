import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Change } from './change.ts';
import { fingerprint, type Stamp, sameStamp, stampOf } from './fingerprint.ts';
import { systemErrorCode } from './system-error.ts';

/** What is known of one file. Without a content it is known by its stamp alone. */
interface Note {
  readonly stamp: Stamp;
  readonly content: string | undefined;
}

/** A state in which a file is for a moment while it is saved, so that no verdict is given yet. */
export type Passing = 'missing' | 'empty' | 'shrunk' | 'unsteady';

/** The outcome of a look at a file. */
export type Look =
  | { readonly kind: 'same' }
  | { readonly kind: 'change'; readonly change: Change }
  | { readonly kind: 'passing'; readonly passing: Passing };

/** Ms by which a file's time may lag behind: it is taken from a clock that ticks 100 to 1000 times a second. */
const FILE_CLOCK_TICK = 10;

const SAME: Look = { kind: 'same' };

/** Remembers what each file contains and tells real changes from events without one. */
export class Ledger {
  /** Wall-clock ms: a file whose content was never noted has changed if it was modified after this. */
  baseline: number;
  readonly #folders = new Map<string, Map<string, Note>>();
  readonly #listed = new Set<string>();
  readonly #unread = new Set<string>();

  constructor(baseline: number) {
    this.baseline = baseline;
  }

  /** All files of `folder` are noted: from now on one that is not is a new one. */
  markListed(folder: string): void {
    this.#listed.add(folder);
  }

  /** Whether `markListed` was called for the folder. */
  isListed(folder: string): boolean {
    return this.#listed.has(folder);
  }

  listedFolders(): string[] {
    return [...this.#listed];
  }

  /** Paths of the files noted directly in `folder`. */
  filesIn(folder: string): string[] {
    return [...(this.#folders.get(folder)?.keys() ?? [])].map((name) => join(folder, name));
  }

  /** Whether the file is noted, and looks the same without being read. */
  compare(path: string, stats: Stats): 'unknown' | 'same' | 'differs' {
    const note = this.#note(path);
    if (note === undefined) return 'unknown';
    return sameStamp(note.stamp, stampOf(stats)) ? 'same' : 'differs';
  }

  /** Notes a file that was there before we were, unread. Returns whether it is newer than the baseline. */
  enter(path: string, stats: Stats): boolean {
    this.#write(path, { stamp: stampOf(stats), content: undefined });
    const isNewer = this.#isNewer(stats);
    // To be looked at, which has to find that its content is not noted.
    if (isNewer) this.#unread.delete(path);
    return isNewer;
  }

  /**
   * Compares a file with what is noted and notes what it is now.
   * @param patience 'settle' gives no verdict on a state that a save passes through; 'accept' takes it as it is
   */
  async look(path: string, patience: 'settle' | 'accept'): Promise<Look> {
    const stats = await statFile(path);
    if (stats === 'unreadable') return SAME;
    if (stats === 'none') return this.#missing(path, patience);
    const stamp = stampOf(stats);
    const content = await fingerprint(path, stamp);
    if (content === undefined) return this.#missing(path, patience);
    // Written while it was read, as by a compiler that truncates it first: the stamp is not that of the content.
    const steady = patience === 'accept' || isStill(stamp, await statFile(path));
    if (!steady) return { kind: 'passing', passing: 'unsteady' };

    const known = this.#note(path);
    const kind = this.#judge(path, known, content, stats);
    if (kind !== undefined && known !== undefined && patience === 'settle') {
      // Truncated, and perhaps about to be written again with what it was. A new inode comes complete.
      const inPlace = known.stamp.ino === stamp.ino && stamp.size < known.stamp.size;
      if (inPlace) return { kind: 'passing', passing: stamp.size === 0 ? 'empty' : 'shrunk' };
    }
    // Accepted while it was written, the stamp is older than the content; then an event follows, or a survey
    // finds the difference.
    this.#write(path, { stamp, content });
    return kind === undefined ? SAME : { kind: 'change', change: { path, kind, at: madeAt(stats) } };
  }

  /** Files whose content is not noted yet. May be walked while notes are taken. */
  unread(): Iterable<string> {
    return this.#unread;
  }

  /**
   * Notes the content of a file that was entered unread. Returns false if it is no longer the file that was
   * entered: then it has to be looked at instead, or its change would be noted as what it always was.
   */
  async read(path: string): Promise<boolean> {
    const entered = this.#note(path);
    if (entered === undefined || entered.content !== undefined) {
      this.#unread.delete(path);
      return true;
    }
    const content = await this.#contentOf(path, entered.stamp);
    // A look may have noted it meanwhile, and knows better.
    if (this.#note(path) === entered) {
      this.#unread.delete(path);
      if (content !== undefined) this.#write(path, { stamp: entered.stamp, content });
    }
    return content !== undefined;
  }

  /** The content of a file that is, before and after, what the stamp says. */
  async #contentOf(path: string, stamp: Stamp): Promise<string | undefined> {
    if (!isStill(stamp, await statFile(path))) return undefined;
    const content = await fingerprint(path, stamp);
    return isStill(stamp, await statFile(path)) ? content : undefined;
  }

  #missing(path: string, patience: 'settle' | 'accept'): Look {
    if (this.#note(path) === undefined) return SAME;
    if (patience === 'settle') return { kind: 'passing', passing: 'missing' };
    this.#folders.get(dirname(path))?.delete(basename(path));
    this.#unread.delete(path);
    return { kind: 'change', change: { path, kind: 'removed', at: Date.now() } };
  }

  #judge(path: string, known: Note | undefined, content: string, stats: Stats): Change['kind'] | undefined {
    if (known === undefined) {
      if (this.isListed(dirname(path))) return 'added';
      return this.#isNewer(stats) ? 'changed' : undefined;
    }
    if (known.content !== undefined) return known.content === content ? undefined : 'changed';
    return this.#isNewer(stats) || !sameStamp(known.stamp, stampOf(stats)) ? 'changed' : undefined;
  }

  #isNewer(stats: Stats): boolean {
    // Both, since a modification time may lie in the future and a status change may be a chmod.
    return Math.min(stats.mtimeMs, stats.ctimeMs) > this.baseline - FILE_CLOCK_TICK;
  }

  #note(path: string): Note | undefined {
    return this.#folders.get(dirname(path))?.get(basename(path));
  }

  #write(path: string, note: Note): void {
    const folder = dirname(path);
    let notes = this.#folders.get(folder);
    if (notes === undefined) {
      notes = new Map();
      this.#folders.set(folder, notes);
    }
    notes.set(basename(path), note);
    if (note.content === undefined) this.#unread.add(path);
    else this.#unread.delete(path);
  }
}

function madeAt(stats: Stats): number {
  return Math.min(Date.now(), Math.max(stats.mtimeMs, stats.ctimeMs));
}

function isStill(stamp: Stamp, found: Stats | 'none' | 'unreadable'): boolean {
  return typeof found === 'object' && sameStamp(stamp, stampOf(found));
}

/** The stat of the file behind a path; 'none' also for what is no file. */
async function statFile(path: string): Promise<Stats | 'none' | 'unreadable'> {
  try {
    const stats = await stat(path);
    return stats.isFile() ? stats : 'none';
  } catch (error) {
    const code = systemErrorCode(error);
    // Gone, or a link to nowhere or in a circle.
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return 'none';
    // Closed to us or an input/output error: nothing can be told, and nothing that we could serve is lost.
    return 'unreadable';
  }
}
