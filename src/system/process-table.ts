import { execFile } from 'node:child_process';
import { HAS_PROC, politely, readProcFile, readStat, statSlices } from './proc.ts';

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

/**
 * All living processes, those that carry the mark (`NAME=value` in the environment) marked as such. Reads /proc
 * in small slices so that messages keep flowing, elsewhere it asks `ps`, which shows no environments.
 */
export async function listProcesses(mark: string): Promise<ProcessRow[]> {
  if (!HAS_PROC) return listByPs();
  const rows: ProcessRow[] = [];
  for await (const slice of politely(marked(mark))) rows.push(...slice);
  return rows;
}

/** The same without letting go of the thread; undefined where only `ps` could tell. */
export function listProcessesNow(mark: string): ProcessRow[] | undefined {
  return HAS_PROC ? [...marked(mark)].flat() : undefined;
}

/** The living process with that number. */
export async function findProcess(pid: number): Promise<Omit<ProcessRow, 'marked'> | undefined> {
  return HAS_PROC ? readStat(pid) : (await listByPs()).find((row) => row.pid === pid);
}

/** Whether the process with that number still is the one of the row, as far as the system tells without delay. */
export function isStill(row: ProcessRow): boolean {
  return HAS_PROC ? readStat(row.pid)?.start === row.start : true;
}

function* marked(mark: string): Generator<ProcessRow[]> {
  // What is older than ourselves was not started by us; that spares reading most environments.
  const since = readStat(process.pid)?.start ?? 0;
  for (const slice of statSlices()) {
    yield slice.map((stat) => ({
      ...stat,
      marked: stat.start >= since && (readProcFile(stat.pid, 'environ')?.includes(mark) ?? false),
    }));
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
