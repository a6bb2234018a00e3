import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from '../system/is-alive.ts';
import { privateFolder } from './private-folder.ts';

const NAME = /^(?:standby|state)-(\d+)-/;

/** What a folder of a process is for: where its standby tells, or what its server keeps across swaps. */
export type FolderUse = 'standby' | 'state';

/** Makes a folder that is for this process alone, in the user's private one; undefined where there can be none. */
export function makeProcessFolder(use: FolderUse): string | undefined {
  const folder = privateFolder();
  if (folder === undefined) return undefined;
  try {
    return mkdtempSync(join(folder, `${use}-${process.pid}-`));
  } catch (error) {
    // Of a full disk, for example; nothing depends on it.
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    return undefined;
  }
}

export function removeProcessFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** Removes what processes that were killed have left. */
export function removeLeftFolders(): void {
  const folder = privateFolder();
  if (folder === undefined) return;
  for (const name of readdirSync(folder)) {
    const pid = NAME.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    removeProcessFolder(join(folder, name));
  }
}
