import { readdirSync } from 'node:fs';
import { HAS_PROC, readStat } from '../system/proc.ts';

/** A process of ours, for good: another one may get its number, but not at the same moment. */
export interface Owner {
  readonly pid: number;
  /** When it started, in a unit that only it and `isGone` need to know. */
  readonly start: number;
}

const WINDOWS_PIPES = '\\\\.\\pipe\\';

/** This very process. */
export function ourselves(): Owner {
  const start = HAS_PROC ? readStat(process.pid)?.start : undefined;
  return { pid: process.pid, start: start ?? Math.round(performance.timeOrigin) };
}

/** Where the process listens. `folder` is the user's private one. */
export function addressOf(folder: string, { pid, start }: Owner): string {
  const name = `${pid}-${start}.sock`;
  return process.platform === 'win32' ? `${windowsPrefix()}${name}` : `${folder}/${name}`;
}

/** All addresses that processes of this user have made there, with their owners; some may be gone. */
export function listAddresses(
  folder: string,
): readonly { readonly address: string; readonly owner: Owner }[] {
  const prefix = process.platform === 'win32' ? windowsPrefix().slice(WINDOWS_PIPES.length) : '';
  return readdirSync(process.platform === 'win32' ? WINDOWS_PIPES : folder).flatMap((entry) => {
    const [, pid, start] = /^(\d+)-(\d+)\.sock$/.exec(entry.slice(prefix.length)) ?? [];
    if (!entry.startsWith(prefix) || start === undefined) return [];
    const owner = { pid: Number(pid), start: Number(start) };
    return [{ address: addressOf(folder, owner), owner }];
  });
}

/** Whether the process has ended, as far as can be seen from here: not, if in doubt. */
export function isGone({ pid, start }: Owner): boolean {
  if (HAS_PROC) return readStat(pid)?.start !== start;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function windowsPrefix(): string {
  return `${WINDOWS_PIPES}mcp-dev-${process.env.USERNAME}-`;
}
