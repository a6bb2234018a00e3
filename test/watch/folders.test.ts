import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { oldProject, watchProject, watchSettled } from './observed.ts';

it('sees a file in folders that are made with it, and its later changes, ten times of ten', async () => {
  const project = oldProject({ 'a.ts': '' });
  const observed = await watchProject(project);
  for (let round = 0; round < 10; round++) {
    const name = `made${round}/a/b/c.ts`;
    project.write(name, 'one');
    expect(await observed.batch()).toEqual([`added ${name}`]);
    project.write(name, 'two');
    expect(await observed.batch()).toEqual([`changed ${name}`]);
    project.atomicWrite(name, 'three');
    expect(await observed.batch()).toEqual([`changed ${name}`]);
  }
});

describe('a folder that gives way to another of its name', () => {
  const ways: Record<string, (folder: string) => void> = {
    'removed and made again': (folder) => {
      rmSync(folder, { recursive: true });
      mkdirSync(`${folder}/deep`, { recursive: true });
    },
    'renamed away and made again': (folder) => {
      renameSync(folder, `${folder}-old`);
      mkdirSync(`${folder}/deep`, { recursive: true });
    },
    'renamed away and back': (folder) => {
      renameSync(folder, `${folder}-old`);
      renameSync(`${folder}-old`, folder);
    },
  };
  for (const [name, replace] of Object.entries(ways)) {
    it(`${name}, at once`, async () => {
      const project = oldProject({ 'src/deep/a.ts': 'a' });
      const observed = await watchSettled(project, { ignore: ['*-old'] });
      replace(project.path('src'));
      project.write('src/deep/a.ts', 'b');
      expect(await observed.batch()).toEqual(['changed src/deep/a.ts']);
      project.write('src/deep/b.ts', 'new');
      expect(await observed.batch()).toEqual(['added src/deep/b.ts']);
      project.write('src/deep/b.ts', 'newer');
      expect(await observed.batch()).toEqual(['changed src/deep/b.ts']);
    });
  }

  it('removed, and made again after that was noticed', async () => {
    const project = oldProject({ 'src/deep/a.ts': 'a', 'src/deep/b.ts': 'b' });
    const observed = await watchProject(project);
    project.remove('src');
    expect((await observed.batchesWith(2)).flat().sort()).toEqual([
      'removed src/deep/a.ts',
      'removed src/deep/b.ts',
    ]);
    project.write('src/deep/a.ts', 'a');
    expect(await observed.batch()).toEqual(['added src/deep/a.ts']);
    project.write('src/deep/a.ts', 'changed');
    expect(await observed.batch()).toEqual(['changed src/deep/a.ts']);
  });

  it('renamed away for good: its files are removed, and added under the new name', async () => {
    const project = oldProject({ 'src/deep/a.ts': 'a' });
    const observed = await watchProject(project);
    renameSync(project.path('src'), project.path('lib'));
    expect((await observed.batchesWith(2)).flat().sort()).toEqual([
      'added lib/deep/a.ts',
      'removed src/deep/a.ts',
    ]);
    project.write('lib/deep/a.ts', 'b');
    expect(await observed.batch()).toEqual(['changed lib/deep/a.ts']);
  });

  it('the watched root itself', async () => {
    const project = oldProject({ 'root/src/a.ts': 'a' });
    const observed = await watchSettled(project, { watch: [project.path('root')] });
    renameSync(project.path('root'), project.path('elsewhere'));
    expect(await observed.batch()).toEqual(['removed root/src/a.ts']);
    project.write('root/src/a.ts', 'b');
    expect(await observed.batch()).toEqual(['added root/src/a.ts']);
    project.remove('root');
    expect(await observed.batch()).toEqual(['removed root/src/a.ts']);
    project.write('root/src/a.ts', 'c');
    expect(await observed.batch()).toEqual(['added root/src/a.ts']);
    project.write('root/src/a.ts', 'd');
    expect(await observed.batch()).toEqual(['changed root/src/a.ts']);
  });
});

describe('what does not exist yet', () => {
  it('is seen when it is made, parents and all', async () => {
    const project = oldProject({});
    const observed = await watchProject(project, {
      watch: [project.path('x/y/z'), project.path('g/**/*.sql')],
    });
    project.write('x/y/z/deep/a.ts', '1');
    expect(await observed.batch()).toEqual(['added x/y/z/deep/a.ts']);
    project.write('x/y/z/deep/a.ts', '2');
    expect(await observed.batch()).toEqual(['changed x/y/z/deep/a.ts']);
    project.write('g/h/i.sql', '1');
    expect(await observed.batch()).toEqual(['added g/h/i.sql']);
  });

  it('may turn out to be a file', async () => {
    const project = oldProject({ 'marker.ts': '' });
    const observed = await watchProject(project, {
      watch: [project.path('conf/settings'), project.path('marker.ts')],
    });
    project.write('conf/other', 'beside it');
    project.write('conf/settings', '1');
    expect(await observed.batch()).toEqual(['added conf/settings']);
    project.write('conf/settings', '2');
    expect(await observed.batch()).toEqual(['changed conf/settings']);
  });
});

describe('symlinks', () => {
  it('a watched root may be one', async () => {
    const project = oldProject({ 'real/src/a.ts': 'a' });
    symlinkSync(project.path('real'), project.path('link'));
    const observed = await watchProject(project, { watch: [project.path('link')] });
    project.write('real/src/a.ts', 'b');
    expect(await observed.batch()).toEqual(['changed link/src/a.ts']);
    project.atomicWrite('real/src/a.ts', 'c');
    expect(await observed.batch()).toEqual(['changed link/src/a.ts']);
  });

  it('to folders and to files are followed', async () => {
    const project = oldProject({ 'in/a.ts': '', 'out/lib/b.ts': '', 'out/single/c.ts': '' });
    symlinkSync(project.path('out/lib'), project.path('in/lib'));
    symlinkSync(project.path('out/single/c.ts'), project.path('in/c.ts'));
    const observed = await watchSettled(project, { watch: [project.path('in')] });
    project.write('out/lib/b.ts', '1');
    expect(await observed.batch()).toEqual(['changed in/lib/b.ts']);
    for (const text of ['1', '2', '3']) {
      project.atomicWrite('out/single/c.ts', text);
      expect(await observed.batch()).toEqual(['changed in/c.ts']);
    }
  });

  it('that lead elsewhere from now on', async () => {
    const project = oldProject({ 'in/a.ts': '', 'v1/x.ts': 'one', 'v2/x.ts': 'two' });
    symlinkSync(project.path('v1'), project.path('in/current'));
    const observed = await watchSettled(project, { watch: [project.path('in')] });
    unlinkSync(project.path('in/current'));
    symlinkSync(project.path('v2'), project.path('in/current'));
    expect(await observed.batch()).toEqual(['changed in/current/x.ts']);
    project.write('v2/x.ts', 'three');
    expect(await observed.batch()).toEqual(['changed in/current/x.ts']);
  });

  it('that lead back up do not make it go round in circles', async () => {
    const project = oldProject({ 'one/a.ts': '', 'two/b.ts': '' });
    symlinkSync(project.path('two'), project.path('one/two'));
    symlinkSync(project.path('one'), project.path('two/one'));
    symlinkSync(project.folder, project.path('one/all'));
    symlinkSync('self', project.path('one/self'));
    const observed = await watchProject(project);
    project.write('one/a.ts', '1');
    const paths = (await observed.batch()).map((change) => change.split(' ')[1]);
    expect(paths).toContain('one/a.ts');
    expect(paths.length).toBeLessThan(4);
  });
});
