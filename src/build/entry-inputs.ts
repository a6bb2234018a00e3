import { dirname, resolve } from 'node:path';
import type { Message } from 'esbuild';
import { nearest, textOf } from './files.ts';

/** The package.json and tsconfig.json files, with all that those extend, that have a say in how sources are built. */
export async function configFiles(sources: Iterable<string>): Promise<Set<string>> {
  const found = new Set<string>();
  for (const folder of new Set([...sources].map((source) => dirname(source)))) {
    const manifest = await nearest('file', 'package.json', folder);
    if (manifest !== undefined) found.add(manifest);
    const tsconfig = await nearest('file', 'tsconfig.json', folder);
    if (tsconfig !== undefined) await addWithBases(tsconfig, found);
  }
  return found;
}

async function addWithBases(tsconfig: string, found: Set<string>): Promise<void> {
  if (found.has(tsconfig)) return;
  const text = await textOf(tsconfig);
  if (text === undefined) return;
  found.add(tsconfig);
  const { parse } = await import('jsonc-parser');
  for (const base of [parse(text)?.extends].flat()) {
    // What is extended by a package's name lies in node_modules and is not edited.
    if (typeof base !== 'string' || !/^(?:\.{0,2}[\\/]|[a-z]:)/i.test(base)) continue;
    const path = resolve(dirname(tsconfig), base);
    await addWithBases(path.endsWith('.json') ? path : `${path}.json`, found);
  }
}

/** Where the relative imports that led nowhere were looked for, as they were written. */
export function missingImports(errors: readonly Message[], workingFolder: string): string[] {
  return errors.flatMap(({ text, location }) => {
    const specifier = /^Could not resolve "(\.{1,2}\/.+)"$/.exec(text)?.[1];
    if (specifier === undefined || location === null) return [];
    return [resolve(dirname(resolve(workingFolder, location.file)), specifier)];
  });
}
