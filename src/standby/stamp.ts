import { statSync } from 'node:fs';

/** File systems note times by a clock that lags behind by so many ms. */
const FILE_TIME_LAG = 10;

/** Differs when the file or folder at the path was written, replaced or removed since; undefined: nothing there. */
export function stampOf(path: string): string | undefined {
  const found = look(path);
  return found && `${found.ino} ${found.size} ${found.mtimeMs} ${found.ctimeMs}`;
}

/** Whether the file was written, replaced or removed at that time (ms since the epoch) or later. */
export function changedSince(path: string, time: number): boolean {
  const found = look(path);
  return found === undefined || found.ctimeMs >= time - FILE_TIME_LAG;
}

function look(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // A folder on the way is a file now, or may not be entered.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return undefined;
  }
}
