import { readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { RunConfig } from '../config/run-config.ts';
import { shortHash } from '../config/short-hash.ts';
import type { RememberedHandshake } from '../session/state.ts';
import { isObject } from '../wire/message.ts';

/** What is kept of a good start, with what it belongs to: names of files are shortened and may collide. */
interface Entry extends RememberedHandshake {
  readonly server: string;
}

/**
 * Reads what the server's last good start answered to the handshake; `undefined` when nothing is known. At once:
 * a build may have failed before a slower answer came.
 */
export function recallHandshake(config: RunConfig): RememberedHandshake | undefined {
  try {
    const entry: unknown = JSON.parse(readFileSync(fileOf(config), 'utf8'));
    return isEntry(entry) && entry.server === serverOf(config) ? entry : undefined;
  } catch {
    // It is a convenience: one that is missing, unreadable or cut short is one that was never written.
    return undefined;
  }
}

/** Keeps the answer for a later session that cannot wait for the server. */
export async function rememberHandshake(config: RunConfig, handshake: RememberedHandshake): Promise<void> {
  const entry: Entry = { ...handshake, server: serverOf(config) };
  const file = fileOf(config);
  const fresh = `${file}.${process.pid}`;
  try {
    await mkdir(handshakeFolder(), { recursive: true, mode: 0o700 });
    await writeFile(fresh, JSON.stringify(entry), { mode: 0o600 });
    await rename(fresh, file);
  } catch {
    // A home folder that cannot be written to costs a later session its memory, and this one nothing.
  }
}

function isEntry(value: unknown): value is Entry {
  return isObject(value) && typeof value.asked === 'string' && isObject(value.result);
}

/** A server is a command in a folder. */
function serverOf({ cwd, launch }: RunConfig): string {
  return JSON.stringify([cwd, launch]);
}

function fileOf(config: RunConfig): string {
  return join(handshakeFolder(), `${shortHash(serverOf(config))}.json`);
}

/** Where handshakes are kept. What is written there is no change of any source. */
export function handshakeFolder(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  const caches =
    process.platform === 'win32'
      ? (LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'))
      : process.platform === 'darwin'
        ? join(homedir(), 'Library', 'Caches')
        : (XDG_CACHE_HOME ?? join(homedir(), '.cache'));
  return join(caches, 'mcp-dev', 'handshakes');
}
