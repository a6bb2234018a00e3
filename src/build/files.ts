import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';

/** The path of what is called `name` in the folder, or else in the nearest folder above that has it. */
export async function nearest(
  kind: 'file' | 'folder',
  name: string,
  folder: string,
): Promise<string | undefined> {
  const path = join(folder, name);
  if (await isThere(kind, path)) return path;
  const parent = dirname(folder);
  return parent === folder ? undefined : nearest(kind, name, parent);
}

/** Whether the path leads to a file, or to a folder; false where nobody may look. */
export async function isThere(kind: 'file' | 'folder', path: string): Promise<boolean> {
  try {
    const found = await stat(path);
    return kind === 'file' ? found.isFile() : found.isDirectory();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return false;
    throw error;
  }
}

/** The path without links in it; itself when nothing is there. */
export async function realIfThere(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return path;
    throw error;
  }
}

/** Undefined when there is no such file, or none that may be read. */
export async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR' || code === 'EACCES') return undefined;
    throw error;
  }
}

/** Whether the path is the folder or lies in it. Both are absolute. */
export function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}
