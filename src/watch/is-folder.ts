import { statSync } from 'node:fs';
import { systemErrorCode } from './system-error.ts';

/** Whether there is a folder, or a symlink to one, at `path`. */
export function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch (error) {
    systemErrorCode(error); // closed to us, or a link in a circle
    return false;
  }
}
