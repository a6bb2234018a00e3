import { type BigIntStats, statSync } from 'node:fs';

/** File systems note times by a clock that lags behind by so many ms. */
const FILE_TIME_LAG = 10;

/**
 * Differs when the file or folder at the path was written, replaced or removed since; undefined: nothing there.
 * The standby of Python makes the same text.
 */
export function stampOf(path: string): string | undefined {
  const found = look(path);
  return found && `${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}`;
}

/** Whether the file was written, replaced or removed at that time (ms since the epoch) or later. */
export function changedSince(path: string, time: number): boolean {
  const found = look(path);
  return found === undefined || Number(found.ctimeNs) / 1e6 >= time - FILE_TIME_LAG;
}

function look(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false, bigint: true });
  } catch (error) {
    // A folder on the way is a file now, or may not be entered.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return undefined;
  }
}
