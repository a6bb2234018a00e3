import { promises, readFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';
import { cacheFolder } from '../config/cache-folder.ts';
import { privateFolder } from '../config/private-folder.ts';
import { replaceFile } from '../config/replace-file.ts';
import { shortHash } from '../config/short-hash.ts';

/** A CommonJS module that was loaded, and the code that V8 made of it. */
export interface LoadedModule {
  readonly exports: unknown;
  /** Whether the code of an earlier process was taken. */
  readonly isFromCache: boolean;
  /** Keeps the code of all functions that ran so far for later processes, unless theirs was taken. */
  keepCode(): Promise<void>;
}

/** One for each version of ours and of node, and what node is told; whoever has more in use compiles now and then. */
const MOST_KEPT = 8;

/**
 * Loads a CommonJS module as `require` does, but with the code that V8 made of it in an earlier process, which saves
 * most of the time that a start takes. The module must not use `import()`: V8 does not keep what node needs for it.
 *
 * @param file holds the function that node would make of the module: `(function (exports, require, module, …) { … })`
 * @param digest what no other content of that file has: V8 itself looks at nothing but the length
 */
export function loadModule(file: string, digest: string): LoadedModule {
  const name = `${digest}-${nodeOptions()}-${process.version}-${process.arch}`;
  const cachedData = kept(name);
  const script = new Script(readFileSync(file, 'utf8'), {
    filename: file,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  const isFromCache = cachedData !== undefined && script.cachedDataRejected === false;

  const module = new Module(file);
  module.filename = file;
  const require = createRequire(file);
  // What it loads later may ask for it in turn.
  require.cache[file] = module;
  const run = script.runInThisContext() as (...parameters: readonly unknown[]) => void;
  run.call(module.exports, module.exports, require, module, file, dirname(file));
  module.loaded = true;
  return {
    exports: module.exports,
    isFromCache,
    async keepCode() {
      if (!isFromCache) await keep(name, script.createCachedData());
    },
  };
}

/**
 * It is run like our own code, so nobody else may have written it. V8 looks at its length and not at its content, and
 * ends the process when that is broken; hence it is there twice, as nothing else shows so quickly that it is whole.
 */
function kept(name: string): Buffer | undefined {
  const folder = privateFolder(codeFolder());
  if (folder === undefined) return undefined;
  try {
    const twice = readFileSync(join(folder, name));
    const code = twice.subarray(0, twice.length / 2);
    return code.equals(twice.subarray(code.length)) ? code : undefined;
  } catch {
    // What cannot be read is made again.
    return undefined;
  }
}

async function keep(name: string, code: Buffer): Promise<void> {
  try {
    await promises.mkdir(cacheFolder(), { recursive: true, mode: 0o700 });
    const folder = privateFolder(codeFolder());
    if (folder === undefined) return;
    await replaceFile(join(folder, name), Buffer.concat([code, code]));
    await forget(folder);
  } catch {
    // A home folder that cannot be written to costs the next start some ms, and this session nothing.
  }
}

/** What node is told, as a short word: with other options V8 rejects the code, and would keep its own in the same place. */
function nodeOptions(): string {
  return shortHash([process.env.NODE_OPTIONS ?? '', ...process.execArgv].join(' '));
}

/** Removes all but the newest. */
async function forget(folder: string): Promise<void> {
  const files = (await promises.readdir(folder)).map(async (name) => {
    const file = join(folder, name);
    return { file, time: (await promises.stat(file)).mtimeMs };
  });
  const sorted = (await Promise.all(files)).sort((a, b) => b.time - a.time);
  for (const { file } of sorted.slice(MOST_KEPT)) await promises.rm(file, { force: true });
}

function codeFolder(): string {
  return join(cacheFolder(), 'code');
}
