import { readProcFile } from '../system/proc.ts';

const WIDTH = 80;

/** A living process for people: its number and, where the system tells, its command line. */
export function describeProcess(pid: number): string {
  const words = process.platform === 'linux' ? readProcFile(pid, 'cmdline') : undefined;
  const line = words?.replaceAll('\0', ' ').trim() ?? '';
  return line === '' ? `process ${pid}` : `process ${pid}: ${line.slice(0, WIDTH)}`;
}
