import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The version in package.json. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageFolder(), 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}

let folder: string | undefined;

/** The folder of this package, from the sources and from what is built of them; also when it is removed while we run. */
export function packageFolder(): string {
  folder ??= folderOf(dirname(fileURLToPath(import.meta.url)));
  return folder;
}

function folderOf(place: string): string {
  const isThere = existsSync(join(place, 'package.json')) || dirname(place) === place;
  return isThere ? place : folderOf(dirname(place));
}
