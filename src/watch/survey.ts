import { type Dirent, readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Ledger } from './ledger.ts';
import { systemErrorCode } from './system-error.ts';

/** How a survey takes files that are not noted: as what was there before we were, or as new. */
export type Strangers = 'inventory' | 'new';

export interface SurveyorOptions {
  readonly ledger: Ledger;
  /** Whether a change of this file is of interest. */
  counts(path: string): boolean;
  /** The file has to be looked at. */
  hint(path: string): void;
}

/** One folder to be surveyed. */
export interface SurveyJob {
  readonly folder: string;
  readonly strangers: Strangers;
  /** Gets the paths of the real folders (no symlinks) directly in it. */
  onSubfolders?(folders: readonly string[]): void;
}

/** Ms of listing before other work gets its turn: messages of the session pass through the same loop. */
const SLICE = 4;

/**
 * Compares folders with the ledger by listing them, without reading a file. It finds what no event tells: what
 * happened before a folder was watched, while its watch was blind, or when too many events came at once.
 */
export class Surveyor {
  readonly #options: SurveyorOptions;
  #last: Promise<void> = Promise.resolve();

  constructor(options: SurveyorOptions) {
    this.#options = options;
  }

  /**
   * Surveys the folders in slices, after those of earlier calls: an inventory that waits must not find that a
   * later call has taken everything for new.
   */
  survey(jobs: Iterable<SurveyJob>): Promise<void> {
    this.#last = this.#last.then(() => this.#surveyInSlices(jobs));
    return this.#last;
  }

  async #surveyInSlices(jobs: Iterable<SurveyJob>): Promise<void> {
    let sliceEnd = performance.now() + SLICE;
    for (const job of jobs) {
      this.surveyNow(job);
      if (performance.now() < sliceEnd) continue;
      await new Promise((resolve) => setImmediate(resolve));
      sliceEnd = performance.now() + SLICE;
    }
  }

  /** Surveys one folder at once. */
  surveyNow(job: SurveyJob): void {
    const { ledger, counts, hint } = this.#options;
    const gone = new Set(ledger.filesIn(job.folder));
    const subfolders: string[] = [];
    for (const entry of list(job.folder)) {
      const path = join(job.folder, entry.name);
      if (entry.isDirectory()) {
        subfolders.push(path);
      } else if (counts(path)) {
        gone.delete(path);
        this.#surveyFile(path, job.strangers);
      }
    }
    ledger.markListed(job.folder);
    for (const path of gone) if (counts(path)) hint(path);
    job.onSubfolders?.(subfolders);
  }

  #surveyFile(path: string, strangers: Strangers): void {
    const { ledger, hint } = this.#options;
    const stats = statIfThere(path);
    if (stats === undefined) {
      hint(path);
      return;
    }
    if (!stats.isFile()) return;
    switch (ledger.compare(path, stats)) {
      case 'same':
        return;
      case 'differs':
        hint(path);
        return;
      case 'unknown':
        if (strangers === 'new' || ledger.enter(path, stats)) hint(path);
        return;
    }
  }
}

function list(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    systemErrorCode(error); // gone since it was found, or closed to us, which the watcher reports
    return [];
  }
}

function statIfThere(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    systemErrorCode(error); // a link in a circle, or to where we may not look; the look that follows settles it
    return undefined;
  }
}
