import type { ChildProcess } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';

export type Esbuild = typeof import('esbuild');

/** esbuild works in one process of its own for all who use it here; this is how many. */
let users = 0;
/** That process; more than one only while one that broke down is replaced. */
const services = new Set<ChildProcess>();

/** Loads esbuild for one more user. */
export async function useEsbuild(): Promise<Esbuild> {
  users += 1;
  if (users === 1) subscribe('child_process', noteService);
  return import('esbuild');
}

/**
 * To be called once for each `useEsbuild`: the last one ends the process, which would else outlive us, and
 * resolves when it is gone.
 */
export async function leaveEsbuild(esbuild: Esbuild): Promise<void> {
  users -= 1;
  if (users > 0) return;
  unsubscribe('child_process', noteService);
  await esbuild.stop();
  await Promise.all([...services].map(end));
}

/** Whether a request failed because esbuild's process is gone (killed from outside, out of memory). */
export function serviceIsGone(error: unknown): boolean {
  return error instanceof Error && /^The service (?:was stopped|is no longer running)/.test(error.message);
}

/** esbuild tells nobody which process is its own, and does not wait for its end: node tells of each that is made. */
function noteService(message: unknown): void {
  const { process: child } = message as { readonly process: ChildProcess };
  child.once('spawn', () => {
    if (!child.spawnargs.some((argument) => argument.startsWith('--service='))) return;
    services.add(child);
    child.once('exit', () => services.delete(child));
  });
}

async function end(service: ChildProcess): Promise<void> {
  const ended = once(service, 'exit');
  // esbuild lets go of it, so that nothing would keep us waiting.
  service.ref();
  service.kill('SIGKILL');
  await ended;
}
