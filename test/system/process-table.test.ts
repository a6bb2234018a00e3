import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import {
  isStill,
  listByPs,
  listProcesses,
  listProcessesNow,
  type ProcessRow,
} from '../../src/system/process-table.ts';
import { alive } from '../kit/processes.ts';
import { tempProject } from '../kit/temp-project.ts';
import { until } from '../kit/wait.ts';

/** A process that leads its own group and session; its program's name is meant to confuse readers of /proc. */
async function oddlyNamed(): Promise<number> {
  const program = tempProject().path('a) Z 1 (b');
  copyFileSync('/bin/sleep', program);
  chmodSync(program, 0o755);
  const child = spawn(program, ['600'], { detached: true, stdio: 'ignore', env: { MARK: 'odd-one' } });
  onTestFinished(async () => {
    // The next one carries the same mark.
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  });
  await once(child, 'spawn');
  return child.pid ?? 0;
}

test('/proc and ps tell the same about a process', async () => {
  const pid = await oddlyNamed();
  const expected = { pid, parent: process.pid, group: pid };
  const find = (rows: readonly { pid: number }[] | undefined) => rows?.find((row) => row.pid === pid);
  expect(find(await listProcesses('MARK=odd-one'))).toMatchObject({ ...expected, session: pid });
  expect(find(listProcessesNow('MARK=odd-one'))).toEqual(find(await listProcesses('MARK=odd-one')));
  const byPs = (await listByPs()).find((row) => row.pid === pid);
  expect(byPs).toMatchObject(expected);
  expect(Math.abs((byPs?.start ?? 0) - Date.now())).toBeLessThan(60_000);
});

test('a process is known by a text in its environment', async () => {
  const pid = await oddlyNamed();
  const marked = (rows: readonly ProcessRow[] = []) => rows.filter((row) => row.marked).map((row) => row.pid);
  expect(marked(await listProcesses(`MARK=odd-one`))).toEqual([pid]);
  expect(marked(listProcessesNow(`MARK=odd-one`))).toEqual([pid]);
  expect(marked(await listProcesses('MARK=another'))).toEqual([]);
});

test('a process that ended is not listed, and is not itself any more', async () => {
  const child = spawn('/bin/sleep', ['600'], { stdio: 'ignore' });
  const pid = child.pid ?? 0;
  const row = (await listProcesses('MARK=odd-one')).find((candidate) => candidate.pid === pid);
  expect(row !== undefined && isStill(row)).toBe(true);
  child.kill('SIGKILL');
  await until(() => !alive(pid), 'it has ended');
  expect((await listProcesses('MARK=odd-one')).some((candidate) => candidate.pid === pid)).toBe(false);
  expect(row !== undefined && isStill(row)).toBe(false);
});
