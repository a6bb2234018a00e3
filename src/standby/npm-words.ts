import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readTsx } from './node-words.ts';
import { type Reading, unfit } from './reading.ts';

/** Options of npm that only make it say less. */
const SILENT = /^(?:-s|--silent|-q|--quiet)$/;

/** A word that the shell gives on as it is. */
const PLAIN_WORD = /^[\w@%+:,./=-]+$/;

/** npx is fit where it finds tsx in the project and has nothing to install. */
export function readNpx(words: readonly string[], cwd: string): Reading {
  const [first, ...rest] = words;
  if (first !== undefined && /^(?:-y|--yes|--no|--no-install|-q|--quiet|--)$/.test(first))
    return readNpx(rest, cwd);
  if (first !== 'tsx') return unfit(`npx ${first ?? ''} may do something of its own first`);
  if (nearestNow(cwd, join('node_modules', '.bin', 'tsx')) === undefined) {
    return unfit('npx finds no tsx in the project and has to install it');
  }
  return readTsx(rest, cwd);
}

/** A script of package.json that is one plain command, without others before or after it; `read` reads the command. */
export function readNpm(
  words: readonly string[],
  cwd: string,
  read: (words: readonly string[], cwd: string) => Reading,
): Reading {
  const spoken = words.filter((word, at) => !(SILENT.test(word) && !words.slice(0, at).includes('--')));
  const name = scriptName(spoken);
  if (name === undefined) return unfit(`npm ${spoken[0] ?? ''} may do something of its own first`);
  const manifest = nearestNow(cwd, 'package.json');
  const scripts = manifest === undefined ? undefined : scriptsOf(manifest);
  const script = scripts?.[name];
  if (manifest === undefined || typeof script !== 'string')
    return unfit(`package.json has no script "${name}"`);
  for (const hook of [`pre${name}`, `post${name}`]) {
    if (scripts?.[hook] !== undefined)
      return unfit(`package.json has a ${hook} script, which would run too early`);
  }
  const parts = script.trim().split(/\s+/);
  if (!parts.every((part) => PLAIN_WORD.test(part)))
    return unfit(`the script "${name}" is more than one plain command`);
  const command = parts.slice(parts.findIndex((part) => !/^\w+=/.test(part)));
  if (command[0] === 'npm') return unfit(`the script "${name}" runs npm again`);
  return read(command, dirname(manifest));
}

function scriptName([verb, script]: readonly string[]): string | undefined {
  if (verb === 'start') return 'start';
  return verb === 'run' || verb === 'run-script' ? script : undefined;
}

function scriptsOf(manifest: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const { scripts } = Object(JSON.parse(readFileSync(manifest, 'utf8')));
    return Object(scripts);
  } catch (error) {
    // It is being edited, or nobody may read it: npm will say so.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code !== undefined) return undefined;
    throw error;
  }
}

/** The path of that name in the folder, or else in the nearest folder above that has it. */
function nearestNow(folder: string, name: string): string | undefined {
  const path = join(folder, name);
  if (existsSync(path)) return path;
  const parent = dirname(folder);
  return parent === folder ? undefined : nearestNow(parent, name);
}
