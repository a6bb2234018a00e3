import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** What /proc tells of a living process; zombies are not living. */
export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** When it started, in clock ticks since the system did. With the pid it identifies a process for good. */
  readonly start: number;
}

export const HAS_PROC = process.platform === 'linux' && existsSync('/proc/self/stat');

/** As many /proc entries are read in one go; then the event loop gets its turn. One takes about 20 µs. */
const SLICE = 64;

/** Undefined when there is no such process, when it has ended, or when it is hidden from us. */
export function readStat(pid: number): ProcessStat | undefined {
  const text = readProcFile(pid, 'stat');
  if (text === undefined) return undefined;
  // `pid (name) state ppid pgrp session … starttime …`; the name may hold anything, parentheses too.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  if (state === 'Z' || state === 'X') return undefined;
  return {
    pid,
    parent: Number(fields[1]),
    group: Number(fields[2]),
    session: Number(fields[3]),
    start: Number(fields[19]),
  };
}

/** All living processes, in slices that take about a millisecond each. */
export function* statSlices(): Generator<ProcessStat[]> {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  for (let from = 0; from < pids.length; from += SLICE) {
    yield pids.slice(from, from + SLICE).flatMap((pid) => readStat(pid) ?? []);
  }
}

/** Gives the event loop its turn after each slice, so that messages keep flowing. */
export async function* politely<T>(slices: Iterable<T>): AsyncGenerator<T> {
  for (const slice of slices) {
    yield slice;
    // By hand: node:timers/promises would be loaded at each start.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** How much memory of a process is resident; undefined when nobody can tell. */
export function residentBytes(pid: number): number | undefined {
  const kilobytes = HAS_PROC ? /^VmRSS:\s+(\d+) kB/m.exec(readProcFile(pid, 'status') ?? '')?.[1] : undefined;
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

/** A file of a process as bytes, one character each; undefined when it ended or is somebody else's. */
export function readProcFile(
  pid: number,
  name: 'stat' | 'status' | 'environ' | 'cmdline',
): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return undefined;
    throw error;
  }
}
