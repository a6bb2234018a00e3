import { promises, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../config/cache-folder.ts';
import { replaceFile } from '../config/replace-file.ts';
import type { RunConfig } from '../config/run-config.ts';
import { shortHash } from '../config/short-hash.ts';
import type { Remembered } from '../session/state.ts';
import { isObject } from '../wire/message.ts';

/** What is kept of good starts, with what it belongs to: names of files are shortened and may collide. */
interface Entry extends Remembered {
  readonly server: string;
}

/**
 * Reads what the server's last good starts said of it; empty when nothing is known. At once: a build may have failed
 * before a slower answer came.
 */
export function recallHandshake(config: RunConfig): Remembered {
  try {
    const entry: unknown = JSON.parse(readFileSync(fileOf(config), 'utf8'));
    return isEntry(entry) && entry.server === serverOf(config) ? entry : {};
  } catch {
    // It is a convenience: one that is missing, unreadable or cut short is one that was never written.
    return {};
  }
}

/**
 * Keeps what is known for a later session that cannot wait for the server. A client may start another process to learn
 * of it what this one is never asked, so that what the other one kept stays.
 */
export async function rememberHandshake(config: RunConfig, news: Remembered): Promise<void> {
  const entry: Entry = { ...recallHandshake(config), ...news, server: serverOf(config) };
  try {
    await promises.mkdir(folder(), { recursive: true, mode: 0o700 });
    await replaceFile(fileOf(config), JSON.stringify(entry));
  } catch {
    // A home folder that cannot be written to costs a later session its memory, and this one nothing.
  }
}

function isEntry(value: unknown): value is Entry {
  if (!isObject(value)) return false;
  const { initialize, discover } = value;
  const isHandshake =
    isObject(initialize) && typeof initialize.asked === 'string' && isObject(initialize.result);
  return (initialize === undefined || isHandshake) && (discover === undefined || isObject(discover));
}

/** A server is a command in a folder. */
function serverOf({ cwd, launch }: RunConfig): string {
  return JSON.stringify([cwd, launch]);
}

function fileOf(config: RunConfig): string {
  return join(folder(), `${shortHash(serverOf(config))}.json`);
}

function folder(): string {
  return join(cacheFolder(), 'handshakes');
}
