import { closeSync, constants, openSync, readFileSync, readSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Package, Packages } from '../boundary.ts';
import { FILES, type Ready } from '../meeting.ts';
import { changedSince, stampOf } from '../stamp.ts';
import { loadedFiles } from './loaded-files.ts';
import { type Loaded, rehearse } from './rehearse.ts';

/** Loads what the folder names, reports, and returns when the runner has said which generation this is. */
export async function standBy(folder: string): Promise<void> {
  try {
    // Open before anybody is told that it is: what is written to a pipe that nobody has open is lost.
    const go = openForReading(join(folder, FILES.go));
    const packages: Packages = JSON.parse(readFileSync(join(folder, FILES.load), 'utf8'));
    // Before the others come: one of them may change what an SDK does, or want to know of it.
    await rehearse(await load(packages.pure));
    await load(packages.others);
    await loadTypescriptLoaders();
    const files = await loadedFiles();
    if (files.some((file) => changedSince(file, performance.timeOrigin))) {
      throw new Error('a package changed while it was loaded');
    }
    tell(folder, { pid: process.pid, files: files.map((file) => [file, stampOf(file)]) });
    const generation = readLine(go);
    closeSync(go);
    // Nobody holds the other end any more: the runner has ended.
    if (generation === undefined) process.exit(0);
    process.env.MCP_DEV_GENERATION = generation;
  } catch (error) {
    writeFileSync(join(folder, FILES.failed), error instanceof Error ? error.message : String(error));
    process.exit(1);
  }
}

/** With a writer of our own for a moment: opening would wait for the runner's end, which may be gone already. */
function openForReading(pipe: string): number {
  const both = openSync(pipe, constants.O_RDWR);
  const reading = openSync(pipe, constants.O_RDONLY);
  closeSync(both);
  return reading;
}

async function load(packages: readonly Package[]): Promise<readonly Loaded[]> {
  const loaded: Loaded[] = [];
  for (const { path, way } of packages) {
    const exports = way === 'import' ? await import(pathToFileURL(path).href) : createRequire(path)(path);
    loaded.push({ path, exports });
  }
  return loaded;
}

async function loadTypescriptLoaders(): Promise<void> {
  for (const loader of typescriptLoaders()) {
    await import(loader.startsWith('file:') ? loader : resolveFromHere(loader));
  }
}

/** tsx, where node was told to load it after us: then that is done already when the server goes on. */
function typescriptLoaders(): string[] {
  const words = [...(process.env.NODE_OPTIONS ?? '').split(/\s+/), ...process.execArgv];
  const imported = words.flatMap((word, at) => {
    if (word === '--import') return words[at + 1] ?? [];
    return /^--import=(.*)/.exec(word)?.[1] ?? [];
  });
  return imported.filter((name) => /^tsx(?:\/esm)?$|^file:.*\/tsx\/dist\/loader\.mjs$/.test(name));
}

function resolveFromHere(name: string): string {
  return pathToFileURL(createRequire(join(process.cwd(), 'any.js')).resolve(name)).href;
}

/** Complete as soon as it is there. */
function tell(folder: string, ready: Ready): void {
  const path = join(folder, FILES.ready);
  writeFileSync(`${path}.new`, JSON.stringify(ready));
  renameSync(`${path}.new`, path);
}

/** Blocks without any work; undefined when the pipe ends first. */
function readLine(pipe: number): string | undefined {
  let text = '';
  const chunk = Buffer.alloc(64);
  while (!text.endsWith('\n')) {
    const size = readSync(pipe, chunk);
    if (size === 0) return undefined;
    text += chunk.toString('latin1', 0, size);
  }
  return text.trimEnd();
}
