import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { privateFolder } from '../config/private-folder.ts';
import { isAlive } from '../system/is-alive.ts';

const NAME = /^standby-(\d+)$/;

/** A folder of this process, where the processes of its server tell; undefined where there can be none. */
export function makePlace(): string | undefined {
  const folder = privateFolder();
  if (folder === undefined) return undefined;
  const place = join(folder, `standby-${process.pid}`);
  try {
    mkdirSync(place, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return undefined;
    // Of a process that had the same number before us.
    rmSync(place, { recursive: true, force: true });
    mkdirSync(place, { mode: 0o700 });
  }
  return place;
}

/** Removes what processes that were killed have left. */
export function removeLeftPlaces(): void {
  const folder = privateFolder();
  if (folder === undefined) return;
  for (const name of readdirSync(folder)) {
    const pid = NAME.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    rmSync(join(folder, name), { recursive: true, force: true });
  }
}
