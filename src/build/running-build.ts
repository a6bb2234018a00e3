import { readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findProcess } from '../system/process-table.ts';
import { isObject } from '../wire/message.ts';
import { ProcessGroup } from './process-group.ts';

/*
 * While a build runs, a file in the user's private folder names its process group. The lock dies with the process
 * that holds it, but the compiler that it had started does not: who takes the lock next finds it by that file.
 */

/** The first process of a build's group. The two together are never those of another process. */
interface Leader {
  readonly pid: number;
  /** In a unit of the system's own. */
  readonly start: number;
}

/** Notes which group runs the build. */
export async function noteRunning(file: string, leader: number): Promise<void> {
  const start = (await findProcess(leader))?.start;
  if (start === undefined) return;
  const note: Leader = { pid: leader, start };
  try {
    writeFileSync(file, JSON.stringify(note), { mode: 0o600 });
  } catch (error) {
    // Of a full disk, or a folder that is gone: then a build that is killed is not found.
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
  }
}

/**
 * The build that the file names: it is over when its first process is, be its number that of another process by
 * now. Undefined when no build is noted.
 */
export async function findRunning(file: string): Promise<ProcessGroup | 'over' | undefined> {
  const leader = recall(file);
  if (leader === undefined) return undefined;
  const found = await findProcess(leader.pid);
  const isIt = found?.start === leader.start && found.group === leader.pid;
  return isIt ? new ProcessGroup(leader.pid) : 'over';
}

/** The build is over. */
export async function forgetRunning(file: string): Promise<void> {
  await rm(file, { force: true });
}

/** `name` says what is built. */
export function runningFile(folder: string, name: string): string {
  return join(folder, `${name}.running.json`);
}

function recall(file: string): Leader | undefined {
  try {
    const note: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isLeader(note) ? note : undefined;
  } catch (error) {
    // Cut short, or not there.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).syscall !== undefined)
      return undefined;
    throw error;
  }
}

function isLeader(note: unknown): note is Leader {
  return isObject(note) && Number.isSafeInteger(note.pid) && Number.isFinite(note.start);
}
