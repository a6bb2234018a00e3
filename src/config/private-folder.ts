import { lstatSync, mkdirSync, type Stats } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * The folder in which processes of one user meet, made if it is not there; undefined where there can be none
 * that nobody else may look into or write to, as when somebody else has made it.
 */
export function privateFolder(path = meetingPlace()): string | undefined {
  const uid = process.getuid?.();
  const found = made(path);
  if (!found?.isDirectory()) return undefined;
  if (uid !== undefined && (found.uid !== uid || (found.mode & 0o077) !== 0)) return undefined;
  return path;
}

/** Where it is: this depends on nothing but the user, as clients hand on few variables. */
export function meetingPlace(): string {
  const uid = process.getuid?.();
  // Windows has a temporary folder for each user.
  return uid === undefined ? join(tmpdir(), 'mcp-dev') : `/tmp/mcp-dev-${uid}`;
}

/** What is there, be it a link, after the folder was made. */
function made(path: string): Stats | undefined {
  attempt(() => mkdirSync(path, { mode: 0o700 }));
  return attempt(() => lstatSync(path));
}

/** Undefined for whatever the system refuses: it shows in what is there, or in that nothing is. */
function attempt<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    return undefined;
  }
}
