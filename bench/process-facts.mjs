import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Whether the system tells what its processes use (Linux does). */
export const tells = process.platform === 'linux';

/** The kernel counts in ticks of 10 ms. */
const TICK_MS = 10;

/** CPU time that a process has used, in ms: all its threads, user and system, without its children. */
export function cpuMs(pid) {
  if (!tells) return Number.NaN;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Resident memory of a process in bytes: now (`VmRSS`), or the most it ever was (`VmHWM`). */
export function resident(pid, which) {
  if (!tells) return Number.NaN;
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`${which}:\\s+(\\d+)`).exec(status)?.[1]) * 1024;
}

/** Waits until a process has stopped preparing things: it did nothing for a while. */
export async function settled(pid) {
  if (!tells) {
    await sleep(500);
    return;
  }
  for (let before = -1, now = cpuMs(pid); now !== before; before = now, now = cpuMs(pid)) await sleep(150);
}
