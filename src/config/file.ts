import { existsSync, promises, readFileSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import type { Path } from './document.ts';
import { type Given, type Layer, type Origin, type Usage, usage } from './layers.ts';
import type { OptionTable } from './option.ts';
import { shownPath, upwards } from './paths.ts';
import { placePaths } from './placement.ts';
import type { LaunchKeys } from './schema.ts';

/** A configuration file that was found, read and checked. */
export interface Configuration {
  readonly kind: 'configuration';
  readonly file: string;
  /** Paths absolute. */
  readonly layer: Layer;
  readonly launch: LaunchKeys;
  /** The origin of one of its keys. */
  originOf(key: string): Origin;
}

interface Found {
  readonly file: string;
  readonly text: string;
}

/** The endings that a configuration file can have. */
const documentEndings = ['.json', '.jsonc', '.yaml', '.yml', '.js', '.mjs'] as const;
const places = [...documentEndings.map((ending) => `mcp-dev.config${ending}`), 'package.json'];

/**
 * The configuration file that `--config` names (absolute), or else the nearest one at or above `folder`, up to the home
 * folder. `cwd` is only for how messages show its path.
 */
export async function readConfiguration(
  table: OptionTable,
  where: {
    readonly named: string | undefined;
    readonly folder: string;
    readonly home: string;
    readonly cwd: string;
  },
): Promise<Configuration | Usage | undefined> {
  const found = where.named === undefined ? search(where.folder, where.home) : await open(where.named);
  if (found === undefined || 'kind' in found) return found;
  const { file } = found;
  const shown = shownPath(file, where.cwd);
  const at = (line: number | undefined) => (line === undefined ? shown : `${shown}:${line}`);

  // Most projects have no such file.
  const { readDocument } = await import('./document.ts');
  const document = await readDocument(file, found.text);
  if ('kind' in document) return usage(`${at(document.line)}: ${document.problem}`);
  const locate = async (path: Path) => at(await document.lineOf(path));
  if (document.value === undefined) return usage(`${shown}: ${nothingIn(file)}`);
  const { checkConfiguration } = await import('./schema.ts');
  const checked = checkConfiguration(table, document.value);
  if (checked.kind === 'invalid') return usage(`${await locate(checked.path)}: ${checked.problem}`);
  const misfit = launchProblem(checked.launch);
  if (misfit !== undefined) return usage(`${await locate([misfit.key])}: ${misfit.problem}`);

  const originOf = (key: string): Origin => ({ kind: 'file', locate: () => locate([key]) });
  const given = new Map<string, Given>();
  for (const [key, value] of checked.values) given.set(key, { value, origin: originOf(key) });
  const layer = await placePaths(table, given, dirname(file));
  if ('kind' in layer) return layer;
  return { kind: 'configuration', file, layer, launch: checked.launch, originOf };
}

/**
 * Walks upwards to the first file that says something of us. Without promises: some thirty places are looked at, in
 * half a millisecond instead of three.
 */
function search(folder: string, home: string): Found | Usage | undefined {
  const top = resolve(home);
  for (const current of upwards(folder)) {
    for (const place of places) {
      const file = join(current, place);
      if (!existsSync(file)) continue;
      try {
        const text = readFileSync(file, 'utf8');
        if (place === 'package.json' ? isOurs(text) : text.trim() !== '') return { file, text };
      } catch (error) {
        return unreadable(error, file);
      }
    }
    if (current === top) return undefined;
  }
  return undefined;
}

/**
 * Whether a package.json has something under "mcp-dev". Only a file that mentions us is parsed; if that fails it is
 * taken for one of ours, and then reported with the line.
 */
function isOurs(text: string): boolean {
  if (!text.includes('"mcp-dev"')) return false;
  try {
    return Object.hasOwn(Object(JSON.parse(text.replace(/^\uFEFF/, ''))), 'mcp-dev');
  } catch (error) {
    if (error instanceof SyntaxError) return true;
    throw error;
  }
}

async function open(file: string): Promise<Found | Usage> {
  if (!(documentEndings as readonly string[]).includes(extname(file))) {
    return usage(`--config names ${file}, but a configuration file ends in ${documentEndings.join(' ')}`);
  }
  try {
    return { file, text: await promises.readFile(file, 'utf8') };
  } catch (error) {
    return unreadable(error, file);
  }
}

/** `place` stands for a path that the error does not have. */
function unreadable(error: unknown, place: string): Usage {
  const { code, path = place } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  return usage(`cannot read the configuration file ${path} (${code})`);
}

function nothingIn(file: string): string {
  const isProgram = ['.js', '.mjs'].includes(extname(file));
  if (isProgram) return 'the default export must be the configuration, or a function that returns it';
  return basename(file) === 'package.json' ? 'there is no "mcp-dev" in it' : 'there is nothing in it';
}

/** What is wrong with the keys that name the server, and with which. */
export function launchProblem(
  launch: LaunchKeys,
): { readonly key: string; readonly problem: string } | undefined {
  const { command, entry, args } = launch;
  if (command !== undefined && entry !== undefined) {
    return { key: 'entry', problem: '"entry" and "command" exclude one another; keep one of them' };
  }
  if (args !== undefined && command === undefined && entry === undefined) {
    return { key: 'args', problem: '"args" needs "command" or "entry" beside it' };
  }
  return undefined;
}
