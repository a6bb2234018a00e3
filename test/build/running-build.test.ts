import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ProcessGroup } from '../../src/build/process-group.ts';
import { findRunning, forgetRunning, noteRunning } from '../../src/build/running-build.ts';
import { folder } from './kit.ts';

/** A process that leads a group of its own, as a build does, and a file that names it. */
async function noted(): Promise<{ readonly child: ChildProcess; readonly file: string }> {
  const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  const file = join(folder(), 'noted.json');
  await noteRunning(file, child.pid ?? 0);
  return { child, file };
}

async function kill(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

test('a build that was noted is found as long as it runs, and can be ended', async () => {
  const { child, file } = await noted();
  const found = await findRunning(file);
  if (!(found instanceof ProcessGroup)) throw new Error(found);
  const exit = once(child, 'exit');
  await found.end();
  expect(await exit).toEqual([null, 'SIGTERM']);
  expect(await findRunning(file)).toBe('over');
});

test('a process that has only got the number of a build is none', async () => {
  const { child, file } = await noted();
  const { pid, start } = JSON.parse(readFileSync(file, 'utf8'));
  expect(pid).toBe(child.pid);
  writeFileSync(file, JSON.stringify({ pid, start: start - 1 }));
  expect(await findRunning(file)).toBe('over');
});

test('what was forgotten, cut short or never noted names no build', async () => {
  const { child, file } = await noted();
  await forgetRunning(file);
  expect(await findRunning(file)).toBeUndefined();
  writeFileSync(file, '{"pid":');
  expect(await findRunning(file)).toBeUndefined();
  await forgetRunning(file);
  await kill(child);
  await noteRunning(file, child.pid ?? 0);
  expect(existsSync(file)).toBe(false);
});
