import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Whether the system tells what its processes use (Linux does). */
export const tells = process.platform === 'linux';

/** The kernel counts in ticks of 10 ms. */
const TICK_MS = 10;

/** CPU time that a process has used, in ms: all its threads, user and system, without its children; 0 once it has ended. */
export function cpuMs(pid) {
  if (!tells) return Number.NaN;
  const stat = textIfThere(`/proc/${pid}/stat`);
  if (stat === '') return 0;
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
  await still(() => cpuMs(pid));
}

/** Waits until a process and all that it started did nothing for a while. */
export async function settledFamily(pid) {
  await still(() => familyOf(pid).reduce((sum, member) => sum + cpuMs(member), 0));
}

async function still(used) {
  if (!tells) {
    await sleep(500);
    return;
  }
  for (let before = -1, now = used(); now !== before; before = now, now = used()) await sleep(150);
}

function familyOf(pid) {
  return [pid, ...childrenOf(pid).flatMap(familyOf)];
}

function childrenOf(pid) {
  // Any of its threads may have started them.
  const tasks = existsSync(`/proc/${pid}/task`) ? readdirSync(`/proc/${pid}/task`) : [];
  const children = tasks.map((task) => textIfThere(`/proc/${pid}/task/${task}/children`));
  return children.join(' ').split(' ').filter(Boolean).map(Number);
}

/** Empty for what has ended meanwhile. */
function textIfThere(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'ESRCH') throw error;
    return '';
  }
}

/** How many watches a process has on files and folders (inotify). */
export function watchesOf(pid) {
  return readdirSync(`/proc/${pid}/fdinfo`)
    .map((fd) => textIfThere(`/proc/${pid}/fdinfo/${fd}`).split('\ninotify ').length - 1)
    .reduce((sum, count) => sum + count, 0);
}
