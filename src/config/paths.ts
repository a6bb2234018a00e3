import { statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { PathRole } from './option.ts';

/** What lies at a path, symlinks followed. */
export type Lies = 'file' | 'folder' | 'nothing';

/** What lies at a path; a path that can't be reached holds nothing for us. */
export function lies(path: string): Lies {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return 'nothing';
    return stats.isDirectory() ? 'folder' : 'file';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A file where a folder should be, a folder we may not enter, a name or chain of links too long.
    if (['ENOTDIR', 'EACCES', 'EPERM', 'ENAMETOOLONG', 'ELOOP'].includes(code ?? '')) return 'nothing';
    throw error;
  }
}

/** An absolute path or glob, and what is wrong with it, to stand after it. */
export interface Placed {
  readonly path: string;
  readonly problem: string | undefined;
}

/** Our stdout under its other names: nothing but messages may be written to it. */
const STDOUT = ['/dev/stdout', '/dev/fd/1', '/proc/self/fd/1'];

/** Makes what was written absolute, `base` being where relative paths start, and looks whether it fits its role. */
export async function placePath(base: string, written: string, role: PathRole): Promise<Placed> {
  const path = resolve(base, written);
  const there = lies(path);
  switch (role) {
    case 'folder':
      if (there === 'folder') return { path, problem: undefined };
      return { path, problem: there === 'file' ? 'which is no folder' : 'which does not exist' };
    case 'file':
      if (there === 'file') return { path, problem: undefined };
      return { path, problem: there === 'folder' ? 'which is a folder' : 'which does not exist' };
    case 'new file':
      if (there === 'folder') return { path, problem: 'which is a folder' };
      if (STDOUT.includes(path)) return { path, problem: 'which is for MCP messages alone' };
      if (lies(dirname(path)) === 'folder') return { path, problem: undefined };
      return { path, problem: `but there is no folder ${dirname(path)}` };
    case 'new recording': {
      const { problem } = await placePath(base, written, 'new file');
      if (problem !== undefined) return { path, problem };
      const { recordProblem } = await import('../recording/recorder.ts');
      return { path, problem: recordProblem(path) };
    }
    case 'path or glob':
      return there === 'nothing' ? placeGlob(base, written) : { path, problem: undefined };
  }
}

async function placeGlob(base: string, written: string): Promise<Placed> {
  const { default: picomatch } = await import('picomatch');
  const scan = picomatch.scan(written);
  if (scan.negated) return { path: written, problem: 'which only --ignore can leave out' };
  if (!scan.isGlob) return { path: resolve(base, written), problem: 'which does not exist' };
  if (isAbsolute(written)) return { path: written, problem: undefined };
  // The folder that it starts from is no part of the pattern, whatever characters are in its name.
  const folder = resolve(base, scan.base);
  const literal = picomatch.scan(folder).isGlob ? folder.replace(/[*?[\]{}()!+@]/g, '\\$&') : folder;
  return { path: `${literal === '/' ? '' : literal}/${scan.glob}`, problem: undefined };
}

/** A path as a message shows it: relative where that is the shorter way to say it. */
export function shownPath(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short === '' || short.startsWith('..') || isAbsolute(short) ? path : short;
}

/** All folders from `folder` upwards, itself first. */
export function* upwards(folder: string): Generator<string> {
  for (let current = resolve(folder); ; current = dirname(current)) {
    yield current;
    if (dirname(current) === current) return;
  }
}

/** Whether `folder` holds one of the names. */
export function holdsOneOf(folder: string, names: readonly string[]): boolean {
  return names.some((name) => lies(join(folder, name)) !== 'nothing');
}
