import { readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject } from '../wire/message.ts';
import type { BuildOutcome } from './builder.ts';

/** One build of one process. */
export interface SharedRun {
  /** Wall-clock ms, before it read anything. */
  readonly startedAt: number;
  readonly pid: number;
}

/** A build's outcome that is true of its sources. */
export type Settled = Exclude<BuildOutcome, { outcome: 'aborted' }>;

/** What a run that is over leaves for those who waited for it; `key` says what was built. */
interface Note extends SharedRun {
  readonly key: string;
  readonly outcome: Settled;
}

/** Writes the outcome down in the folder and gives the file's path; undefined if that is impossible. */
export function noteResult(
  folder: string,
  key: string,
  run: SharedRun,
  outcome: Settled,
): string | undefined {
  const note: Note = { ...run, key, outcome };
  const path = pathOf(folder, run);
  try {
    writeFileSync(path, JSON.stringify(note), { mode: 0o600 });
    return path;
  } catch (error) {
    // Of a full disk, or a folder that is gone, those who wait learn nothing, and build by themselves.
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    return undefined;
  }
}

/** The outcome that the run has left; undefined if it left none, as one that was aborted or killed. */
export function recallResult(folder: string, key: string, run: SharedRun): Settled | undefined {
  try {
    const note: unknown = JSON.parse(readFileSync(pathOf(folder, run), 'utf8'));
    return isNote(note) && note.key === key ? note.outcome : undefined;
  } catch (error) {
    // Cut short, or not there.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).syscall !== undefined)
      return undefined;
    throw error;
  }
}

/** Removes what `noteResult` wrote. */
export async function forgetResult(path: string): Promise<void> {
  await rm(path, { force: true });
}

/** The run that a greeting names; undefined if it names none. */
export function parseRun(greeting: string): SharedRun | undefined {
  const [startedAt, pid, ...more] = greeting.split(' ').map(Number);
  const isRun = Number.isSafeInteger(startedAt) && Number.isSafeInteger(pid) && more.length === 0;
  return isRun ? ({ startedAt, pid } as SharedRun) : undefined;
}

/** The run in one line, for `parseRun`. */
export function nameRun({ startedAt, pid }: SharedRun): string {
  return `${startedAt} ${pid}`;
}

function pathOf(folder: string, { startedAt, pid }: SharedRun): string {
  return join(folder, `build-${startedAt}-${pid}.json`);
}

function isNote(value: unknown): value is Note {
  if (!isObject(value) || !isObject(value.outcome)) return false;
  const { outcome, reason, text } = value.outcome;
  return (
    outcome === 'built' || (outcome === 'failed' && typeof reason === 'string' && typeof text === 'string')
  );
}
