import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { systemErrorCode } from './system-error.ts';

/** What a stat says of a file's content without reading it. */
export interface Stamp {
  readonly size: number;
  readonly mtimeMs: number;
  /** An atomic save puts another inode under the name. */
  readonly ino: number;
}

/** Reading more than this on each event costs more than the reload that it might save. */
const LARGEST_READ = 8 * 1024 * 1024;

export function stampOf(stats: Stats): Stamp {
  return { size: stats.size, mtimeMs: stats.mtimeMs, ino: stats.ino };
}

export function sameStamp(a: Stamp, b: Stamp): boolean {
  return a.size === b.size && a.mtimeMs === b.mtimeMs && a.ino === b.ino;
}

/**
 * A short text that differs when the file's content does; of a file that is huge, or not ours to read, the
 * size and the time of modification. Undefined when there is no file any more.
 */
export async function fingerprint(path: string, stamp: Stamp): Promise<string | undefined> {
  const coarse = `${stamp.size}:${stamp.mtimeMs}`;
  if (stamp.size > LARGEST_READ) return coarse;
  try {
    return createHash('sha1')
      .update(await readFile(path))
      .digest('base64');
  } catch (error) {
    switch (systemErrorCode(error)) {
      case 'ENOENT':
      case 'ENOTDIR':
      case 'EISDIR':
        return undefined;
      default:
        // Locked by its writer, not readable, or an input/output error: the stat still tells changes apart.
        return coarse;
    }
  }
}
