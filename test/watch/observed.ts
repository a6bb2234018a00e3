import { utimesSync } from 'node:fs';
import { relative } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { type Change, startWatch, type Watch, type WatchOptions } from '../../src/watch/watch.ts';
import { type TempProject, tempProject } from '../kit/temp-project.ts';
import { Arrivals, within } from '../kit/wait.ts';

/** A project whose files look as if they had been there for an hour. */
export function oldProject(files: Readonly<Record<string, string>> = {}): TempProject {
  const project = tempProject(files);
  for (const name of Object.keys(files)) age(project.path(name));
  return project;
}

/** Makes a file look an hour old. */
export function age(file: string): void {
  const anHourAgo = Date.now() / 1000 - 3600;
  utimesSync(file, anHourAgo, anHourAgo);
}

/** Watches the project and waits until everything is covered. */
export async function watchProject(
  project: TempProject,
  options: Partial<WatchOptions> = {},
): Promise<Observed> {
  const observed = new Observed(project.folder, options);
  await within(observed.watch.ready, () => 'the watch to be ready');
  return observed;
}

/** The same, and long enough after that for only events to tell: everything is listed again at first. */
export async function watchSettled(project: TempProject, options: Partial<WatchOptions> = {}) {
  const observed = await watchProject(project, options);
  await setTimeout(1300);
  return observed;
}

/** A running watch and what it has told. Changes are described as `kind path`, relative to the root. */
export class Observed {
  readonly watch: Watch;
  readonly raw: Change[] = [];
  readonly changes = new Arrivals<string>('changes');
  readonly batches = new Arrivals<readonly string[]>('batches');
  readonly faults = new Arrivals<string>('faults');
  readonly #root: string;
  #read = 0;

  constructor(root: string, options: Partial<WatchOptions>) {
    this.#root = root;
    this.watch = startWatch(
      { ...DEFAULTS, root, ...options },
      {
        onChange: (change) => {
          this.raw.push(change);
          this.changes.push(this.#describe(change));
        },
        onBatch: (changes) => this.batches.push(changes.map((change) => this.#describe(change))),
        onFault: (fault) => this.faults.push(fault.message),
      },
    );
    onTestFinished(() => this.watch.close());
  }

  /** The next batch that was not asked for yet. */
  async batch(): Promise<readonly string[]> {
    const at = await this.batches.find(() => true, 'batch', this.#read);
    this.#read = at + 1;
    return this.batches.all[at] ?? [];
  }

  /** The batches that were not asked for yet, up to the one that makes them contain so many paths. */
  async batchesWith(paths: number): Promise<(readonly string[])[]> {
    const batches: (readonly string[])[] = [];
    while (new Set(batches.flat()).size < paths) batches.push(await this.batch());
    return batches;
  }

  #describe({ kind, path }: Change): string {
    return `${kind} ${relative(this.#root, path)}`;
  }
}

const DEFAULTS: Omit<WatchOptions, 'root'> = {
  watch: [],
  ignore: [],
  extensions: new Set(['ts', 'js', 'json', 'py']),
  poll: undefined,
  debounce: undefined,
  outputs: [],
  files: [],
  compiled: undefined,
  inputsOnly: false,
};
