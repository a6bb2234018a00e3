import { readdirSync, readFileSync } from 'node:fs';

/** Whether the process lives; a zombie does not. */
export function alive(pid: number): boolean {
  const stat = readProc(pid, 'stat');
  return stat !== undefined && !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
}

/** The pids of all living processes that were started with this text in their environment: `NAME=value`. */
export function processesOf(marker: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && readProc(pid, 'environ')?.includes(marker) && alive(pid));
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    // It ended, or belongs to somebody else.
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(code)) return undefined;
    throw error;
  }
}

/** The most memory that a living process ever had resident, in MB. */
export function peakMb(pid: number): number {
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readProc(pid, 'status') ?? '')?.[1]) / 1024);
}
