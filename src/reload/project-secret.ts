import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../config/cache-folder.ts';
import { shortHash } from '../config/short-hash.ts';

const SECRET = /^[0-9a-f]{64}$/;

/**
 * 32 random bytes in hex that are the same for every process of a project, and known to nobody but its user. With them
 * a server can sign what a client brings back later (`requestState` of 2026-07-28), so that it holds across a swap.
 * Where they cannot be kept they hold for as long as this process.
 */
export function projectSecret(root: string): string {
  const folder = join(cacheFolder(), 'secrets');
  const file = join(folder, shortHash(root));
  return kept(file) ?? made(folder, file);
}

/** One that nobody else has, and that nobody keeps. */
export function freshSecret(): string {
  // The global one is loaded when it is used; node:crypto would cost each start 3 ms.
  return Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex');
}

function made(folder: string, file: string): string {
  const secret = freshSecret();
  const fresh = `${file}.${process.pid}`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(fresh, secret, { mode: 0o600 });
    try {
      // Whole at once, and never in the place of one that another process has made meanwhile.
      linkSync(fresh, file);
    } finally {
      rmSync(fresh);
    }
    return secret;
  } catch {
    return kept(file) ?? secret;
  }
}

function kept(file: string): string | undefined {
  try {
    const secret = readFileSync(file, 'utf8');
    return SECRET.test(secret) ? secret : undefined;
  } catch {
    return undefined;
  }
}
