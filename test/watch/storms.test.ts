import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { gitHoldsIndex } from '../../src/watch/git-lock.ts';
import { tempProject } from '../kit/temp-project.ts';
import { oldProject, watchProject, watchSettled } from './observed.ts';

const names = Array.from({ length: 300 }, (_, n) => `src/d${n % 17}/f${n}.ts`);
const filesOf = (content: string) => Object.fromEntries(names.map((name) => [name, content]));

it('300 files rewritten at once are a few batches', async () => {
  const project = oldProject(filesOf('old'));
  const observed = await watchProject(project);
  const start = performance.now();
  for (const name of names) await writeFile(project.path(name), 'new');
  const seconds = (performance.now() - start) / 1000;
  expect((await observed.batchesWith(300)).length).toBeLessThanOrEqual(Math.ceil(seconds) + 2);
});

it('300 files rewritten over two seconds are one batch each second, and the last has the end', async () => {
  const project = oldProject(filesOf('old'));
  const observed = await watchProject(project);
  const start = performance.now();
  for (const name of names) {
    await writeFile(project.path(name), 'new');
    await setTimeout(6);
  }
  const seconds = (performance.now() - start) / 1000;
  const batches = await observed.batchesWith(300);
  expect(batches.length).toBeLessThanOrEqual(Math.ceil(seconds) + 2);
  expect(batches.at(-1)).toContain(`changed ${names.at(-1)}`);
});

it('more events than the system can queue lose nothing', async () => {
  const project = oldProject({ 'a/a.ts': '', 'b/b.ts': '' });
  const observed = await watchSettled(project);
  // In one go, so that no event is taken off the queue, which holds 16,384.
  for (let n = 0; n < 9000; n++) project.write(`a/f${n}.ts`, 'new');
  project.write('b/c/d/e.ts', 'in a folder whose making was lost');
  const batches = await observed.batchesWith(9001);
  expect(batches.length).toBeLessThan(10);
  const paths = batches.flat();
  expect(paths).toContain('added a/f8999.ts');
  expect(paths).toContain('added b/c/d/e.ts');
});

it('a checkout is a few batches', async () => {
  const project = tempProject(filesOf('old'));
  const git = (...args: string[]) => {
    const identity = ['-c', 'user.name=T', '-c', 'user.email=t@example.org'];
    return promisify(execFile)('git', ['-C', project.folder, ...identity, ...args]);
  };
  await git('init', '--quiet');
  await git('add', '.');
  await git('commit', '--quiet', '-m', 'old');
  await git('checkout', '--quiet', '-b', 'new');
  for (const name of names) project.write(name, 'new');
  project.write('extra/deep/a.ts', 'only here');
  await git('add', '.');
  await git('commit', '--quiet', '-m', 'new');
  const observed = await watchProject(project);
  observed.watch.setBaseline(Date.now() + 60_000); // what was written above is no change
  await git('checkout', '--quiet', '-');
  const batches = await observed.batchesWith(301);
  expect(batches.length).toBeLessThanOrEqual(3);
  expect(batches.flat()).toContain('removed extra/deep/a.ts');
});

describe("git's index lock", () => {
  it('holds a batch until it is released', async () => {
    const project = oldProject({ 'a.ts': '', 'b.ts': '', 'c.ts': '', '.git/index.lock': '' });
    const observed = await watchProject(project);
    for (const name of ['a.ts', 'b.ts', 'c.ts']) {
      project.write(name, 'new');
      await observed.changes.find((change) => change.endsWith(name), name);
      await setTimeout(150);
    }
    expect(observed.batches.all).toEqual([]);
    project.remove('.git/index.lock');
    expect(await observed.batch()).toEqual(['changed a.ts', 'changed b.ts', 'changed c.ts']);
  });

  it('is found from a folder inside, in worktrees and submodules', () => {
    const project = tempProject({
      'repo/.git/HEAD': '',
      'repo/packages/a/b.ts': '',
      'tree/.git': 'gitdir: ../repo/.git/worktrees/tree\n',
      'tree/src/a.ts': '',
      'repo/.git/worktrees/tree/HEAD': '',
    });
    const inRepo = project.path('repo/packages/a');
    const inTree = project.path('tree/src');
    expect(gitHoldsIndex(inRepo)).toBe(false);
    project.write('repo/.git/index.lock', '');
    expect(gitHoldsIndex(inRepo)).toBe(true);
    expect(gitHoldsIndex(inTree)).toBe(false);
    project.write('repo/.git/worktrees/tree/index.lock', '');
    expect(gitHoldsIndex(inTree)).toBe(true);
  });
});
