import { type Dirent, promises, readdir, readdirSync, realpath, realpathSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { monotonicMs } from '../system/clock.ts';

export interface CachesOptions {
  /** The folders to look in; absolute. */
  readonly roots: readonly string[];
  /** What a cache is called, relative to a root: a folder's, or a single file's. */
  readonly globs: readonly string[];
}

/** The absolute real paths of what was removed, and of what could not be. */
export interface CachesCleared {
  readonly removed: readonly string[];
  readonly failed: readonly { readonly path: string; readonly message: string }[];
}

// Not those of node:fs/promises, which every start would load only for these two.
const entriesOf = promisify(readdir);
const realPathOf = promisify(realpath.native);

/**
 * A tree that is looked through in that time is looked through at once: the first start waits for it, and longer for
 * node's threads to begin than for a small tree.
 */
const AT_ONCE_MS = 5;

/** Neither looked into nor removed, whatever the globs say. */
const PROTECTED = new Set(['.git', 'node_modules']);

/** A glob that is one plain name, in whatever folder. */
const ANYWHERE = /^\*\*\/([\w.-]+)$/;

/** A folder that has one of these in it is a Python environment, and not looked into. */
const ENVIRONMENT_MARKS = new Set(['pyvenv.cfg', 'conda-meta']);

/**
 * Removes the caches below the roots. Links are not followed and not removed, so that nothing is touched
 * that does not really lie in a root.
 */
export async function clearCaches({ roots, globs }: CachesOptions): Promise<CachesCleared> {
  if (globs.length === 0) return { removed: [], failed: [] };
  const matches = await matcherOf(globs);
  const removed: string[] = [];
  const failed: { path: string; message: string }[] = [];
  const began = monotonicMs();
  const isYoung = (): boolean => monotonicMs() - began < AT_ONCE_MS;

  for (const root of roots) {
    const real = await realOf(root);
    // A root may lie in node_modules, for somebody named it; nobody edits what lies in .git.
    if (real !== undefined && !real.split(sep).includes('.git')) await look(real, real);
  }
  return { removed: removed.sort(), failed };

  async function look(folder: string, root: string): Promise<void> {
    const entries = await list(folder);
    if (entries.some(({ name }) => ENVIRONMENT_MARKS.has(name))) return;
    await Promise.all(
      entries.map(async (entry) => {
        const path = join(folder, entry.name);
        if (PROTECTED.has(entry.name) || entry.isSymbolicLink()) return;
        if (matches(entry.name, relative(root, path).replaceAll(sep, '/'))) await remove(path, entry);
        else if (entry.isDirectory()) await look(path, root);
      }),
    );
  }

  async function remove(path: string, entry: Dirent): Promise<void> {
    const kept = entry.isDirectory() ? await protectedIn(path) : undefined;
    if (kept !== undefined) {
      failed.push({ path, message: `${kept} is in it` });
      return;
    }
    try {
      // A running server may write into its cache meanwhile: then the folder is not empty at first.
      await promises.rm(path, { recursive: true, force: true, maxRetries: 3, retryDelay: 20 });
      removed.push(path);
    } catch (error) {
      fail(path, error);
    }
  }

  async function protectedIn(folder: string): Promise<string | undefined> {
    for (const entry of await list(folder)) {
      const path = join(folder, entry.name);
      if (PROTECTED.has(entry.name)) return path;
      const below = entry.isDirectory() ? await protectedIn(path) : undefined;
      if (below !== undefined) return below;
    }
    return undefined;
  }

  async function realOf(root: string): Promise<string | undefined> {
    try {
      return isYoung() ? realpathSync.native(root) : await realPathOf(root);
    } catch (error) {
      // A root may be made later.
      if (!isMissing(error)) fail(root, error);
      return undefined;
    }
  }

  async function list(folder: string): Promise<Dirent[]> {
    try {
      const options = { withFileTypes: true } as const;
      return isYoung() ? readdirSync(folder, options) : await entriesOf(folder, options);
    } catch (error) {
      // A root may be a single file, and folders come and go.
      if (!isMissing(error)) fail(folder, error);
      return [];
    }
  }

  function fail(path: string, error: unknown): void {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    failed.push({ path, message: error.message });
  }
}

/** Tells of a path, and of its last name, whether one of the globs means it. */
async function matcherOf(globs: readonly string[]): Promise<(name: string, path: string) => boolean> {
  const names = globs.map((glob) => ANYWHERE.exec(glob)?.[1]);
  // Such as the default: no reason to load what understands all globs.
  if (!names.includes(undefined)) return (name) => names.includes(name);
  const { default: picomatch } = await import('picomatch');
  const matches = picomatch([...globs], { dot: true });
  return (_, path) => matches(path);
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
