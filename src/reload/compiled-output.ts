import { dirname, join, relative, sep } from 'node:path';
import { compiledSources } from '../build/outputs.ts';
import type { RunConfig } from '../config/run-config.ts';
import { Rules } from '../watch/rules.ts';
import type { CompiledOutput } from '../watch/watch.ts';

/**
 * Recognises a program that a compiler elsewhere writes: its entry lies in a folder that is ignored, such as
 * `dist`, and no build of ours fills it. That folder is then watched. Without an explicit `--watch` the sources
 * that compile into it are no triggers: their output comes a moment later.
 */
export async function compiledOutput(
  config: RunConfig,
  outputs: readonly string[],
): Promise<CompiledOutput | undefined> {
  const { entry, build, root, ignore, watch } = config;
  if (entry === undefined || build) return undefined;
  const rules = new Rules({ root, ignore, outputs });
  const folder = foldersBetween(root, dirname(entry)).find((path) => rules.ignoresFolder(path, root));
  if (folder === undefined) return undefined;
  const isSource = watch.length > 0 ? () => false : await compiledSources({ root, folder });
  return { folder, isSource };
}

/** The folders below `root` that lead to `folder`, outermost first; none when it lies elsewhere. */
function foldersBetween(root: string, folder: string): string[] {
  const path = relative(root, folder);
  if (path === '' || path.startsWith('..')) return [];
  const names = path.split(sep);
  return names.map((_, index) => join(root, ...names.slice(0, index + 1)));
}
