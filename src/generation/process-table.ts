import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** One living process of this machine; zombies are not living. */
export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** Undefined where the system does not tell. */
  readonly session: number | undefined;
  /** When it started, in a unit of the system's own. With the pid it identifies a process for good. */
  readonly start: number;
  /** Whether the mark was in the environment that it was started with. False where nobody may look. */
  readonly marked: boolean;
}

/** As many /proc entries are read in one go; then the event loop gets its turn. One takes about 20 µs. */
const SLICE = 64;

const HAS_PROC = process.platform === 'linux' && existsSync('/proc/self/stat');

/**
 * All living processes, those that carry the mark (`NAME=value` in the environment) marked as such. Reads /proc
 * in small slices so that messages keep flowing, elsewhere it asks `ps`, which shows no environments.
 */
export async function listProcesses(mark: string): Promise<ProcessRow[]> {
  if (!HAS_PROC) return listByPs();
  const rows: ProcessRow[] = [];
  for (const slice of readProc(mark)) {
    rows.push(...slice);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return rows;
}

/** The same without letting go of the thread; undefined where only `ps` could tell. */
export function listProcessesNow(mark: string): ProcessRow[] | undefined {
  return HAS_PROC ? [...readProc(mark)].flat() : undefined;
}

/** Whether the process with that number still is the one of the row, as far as the system tells without delay. */
export function isStill(row: ProcessRow): boolean {
  return HAS_PROC ? readStat(row.pid)?.start === row.start : true;
}

function* readProc(mark: string): Generator<ProcessRow[]> {
  // What is older than ourselves was not started by us; that spares reading most environments.
  const since = readStat(process.pid)?.start ?? 0;
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  for (let from = 0; from < pids.length; from += SLICE) {
    const rows: ProcessRow[] = [];
    for (const pid of pids.slice(from, from + SLICE)) {
      const stat = readStat(pid);
      if (stat === undefined) continue;
      const marked = stat.start >= since && (readProcFile(pid, 'environ')?.includes(mark) ?? false);
      rows.push({ ...stat, marked });
    }
    yield rows;
  }
}

function readStat(pid: number): Omit<ProcessRow, 'marked'> | undefined {
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

function readProcFile(pid: number, name: 'stat' | 'environ'): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    // It ended between the listing and the reading, or it is somebody else's.
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return undefined;
    throw error;
  }
}

/** `ps` of the BSDs and macOS. Resolves to nothing where it can't be run: then only the process group is known. */
export function listByPs(): Promise<ProcessRow[]> {
  const args = ['-A', '-o', 'pid=,ppid=,pgid=,stat=,lstart='];
  return new Promise((resolve) => {
    execFile('ps', args, { encoding: 'latin1', maxBuffer: 64 << 20 }, (error, stdout) => {
      resolve(error === null ? stdout.split('\n').flatMap(parsePsLine) : []);
    });
  });
}

function parsePsLine(line: string): ProcessRow[] {
  const [, pid, parent, group, state, start] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.+)$/.exec(line) ?? [];
  if (start === undefined || state?.startsWith('Z')) return [];
  return [
    {
      pid: Number(pid),
      parent: Number(parent),
      group: Number(group),
      session: undefined,
      start: Date.parse(start),
      marked: false,
    },
  ];
}
