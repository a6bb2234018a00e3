import { readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { TsConfigJsonResolved } from 'get-tsconfig';
import { isThere, nearest } from './files.ts';

/** One tsconfig file: what it compiles, and where to. */
export interface Project {
  /** Absolute. The paths in `config` are relative to its folder. */
  readonly path: string;
  readonly config: TsConfigJsonResolved;
}

/**
 * The projects of a root folder: its `tsconfig.json` and `tsconfig.*.json`, those nearest to the entry, and
 * all that they refer to. One that can't be read is left out: the compiler will complain of it.
 */
export async function projectsOf(root: string, entry: string | undefined): Promise<Project[]> {
  const found = new Map<string, Project>();
  const own = entry && (await nearest('file', 'tsconfig.json', dirname(entry)));
  for (const folder of new Set([root, own ? dirname(own) : root])) {
    for (const name of await readdir(folder)) {
      if (/^tsconfig(?:\..+)?\.json$/.test(name)) await add(join(folder, name));
    }
  }
  return [...found.values()];

  async function add(path: string): Promise<void> {
    if (found.has(path)) return;
    const { parseTsconfig } = await import('get-tsconfig');
    let config: TsConfigJsonResolved;
    try {
      config = parseTsconfig(path);
    } catch (error) {
      // All of its errors are about the file: not there, no JSON, a base that is not there, a circle.
      if (error instanceof Error) return;
      throw error;
    }
    found.set(path, { path, config });
    for (const reference of config.references ?? []) {
      const target = resolve(dirname(path), reference.path);
      await add((await isThere('folder', target)) ? join(target, 'tsconfig.json') : target);
    }
  }
}
