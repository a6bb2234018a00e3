import { createHash, randomBytes } from 'node:crypto';
import { access, constants, mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { basename, dirname, extname, join } from 'node:path';
import { isAlive } from '../system/is-alive.ts';
import type { ModuleFormat } from './entry-view.ts';
import { nearest } from './files.ts';

/** As many outputs are kept as generations can run at once: the candidate, the active and three draining. */
const KEPT = 5;

/** `<program>-<pid>-<instance>-<number>.mjs`, and its source map. */
const OUTPUT_NAME = /-(\d+)-[0-9a-f]{8}-\d+\.[mc]js(?:\.map)?$/;

/** Refusals that say that node_modules is not for us to write to. */
const READ_ONLY = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR']);

/**
 * Where the outputs of one entry lie: in a cache folder of the node_modules nearest to it, so that an
 * output finds the packages that the entry finds; else in a private temporary folder. Each output is a
 * file of its own: a running generation keeps the code and the source map that it was started with, and
 * processes that build the same entry at the same time keep out of each other's way.
 */
export class EntryPlace {
  /** Absolute and real. */
  readonly folder: string;
  readonly #isPrivate: boolean;
  readonly #stem: string;
  #written: string[] = [];
  #count = 0;

  private constructor(folder: string, isPrivate: boolean, entry: string) {
    this.folder = folder;
    this.#isPrivate = isPrivate;
    const instance = randomBytes(4).toString('hex');
    this.#stem = `${basename(entry, extname(entry))}-${process.pid}-${instance}`;
  }

  /** Finds and makes the folder, and removes from it what processes that are gone have left. */
  static async open(entry: string): Promise<EntryPlace> {
    const modules = await nearest('folder', 'node_modules', dirname(entry));
    if (modules !== undefined) {
      // Pids mean something on one machine only, and a folder may be shared with a container.
      const key = createHash('sha256').update(`${hostname()}\0${entry}`).digest('hex').slice(0, 16);
      try {
        const folder = await makeFolder(join(modules, '.cache', 'mcp-dev', key));
        await removeStale(folder);
        return new EntryPlace(folder, false, entry);
      } catch (error) {
        if (!READ_ONLY.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
      }
    }
    return new EntryPlace(await realpath(await mkdtemp(join(tmpdir(), 'mcp-dev-'))), true, entry);
  }

  /** Writes an output under a new name, and removes the oldest; gives its path. */
  async write(code: Uint8Array, map: Uint8Array, format: ModuleFormat): Promise<string> {
    this.#count += 1;
    const path = this.#path(this.#count, format === 'esm' ? '.mjs' : '.cjs');
    this.#written.push(path);
    const link = `//# sourceMappingURL=${encodeURIComponent(basename(path))}.map\n`;
    // Whoever installs anew may remove all of node_modules first.
    await mkdir(this.folder, { recursive: true, mode: this.#isPrivate ? 0o700 : 0o777 });
    // The code last: nobody is told of it before it is there, with all that it needs.
    await writeFile(`${path}.map`, map);
    await writeFile(path, [code, Buffer.from(link)]);
    const old = this.#written.slice(0, -KEPT);
    this.#written = this.#written.slice(-KEPT);
    await remove(old);
    return path;
  }

  /** Where the next output will lie, if it is the same kind of module as this one. */
  after(output: string): string {
    return this.#path(this.#count + 1, extname(output));
  }

  async close(): Promise<void> {
    if (this.#isPrivate) await rm(this.folder, { recursive: true, force: true });
    else await remove(this.#written);
    this.#written = [];
  }

  #path(count: number, ending: string): string {
    return join(this.folder, `${this.#stem}-${count}${ending}`);
  }
}

async function makeFolder(path: string): Promise<string> {
  await mkdir(path, { recursive: true });
  await access(path, constants.W_OK);
  // The source maps name the sources relative to where node finds the output.
  return realpath(path);
}

async function removeStale(folder: string): Promise<void> {
  const names = await readdir(folder);
  const stale = names.filter((name) => {
    const pid = OUTPUT_NAME.exec(name)?.[1];
    return pid !== undefined && !isAlive(Number(pid));
  });
  await Promise.all(stale.map((name) => rm(join(folder, name), { force: true })));
}

async function remove(outputs: readonly string[]): Promise<void> {
  await Promise.all(
    outputs.flatMap((path) => [path, `${path}.map`]).map((path) => rm(path, { force: true })),
  );
}
