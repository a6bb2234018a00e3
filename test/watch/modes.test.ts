import { rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { oldProject, watchProject } from './observed.ts';

describe('inputs of a builder', () => {
  it('are what counts, new ones at once', async () => {
    const project = oldProject({ 'src/a.ts': '', 'src/b.ts': '', 'lib/c.ts': '', 'd.ts': '' });
    const observed = await watchProject(project, { inputsOnly: true });
    observed.watch.setInputs([project.path('src/a.ts')], false);
    project.write('src/b.ts', '1');
    project.write('lib/c.ts', '1');
    project.write('src/a.ts', '1');
    expect(await observed.batch()).toEqual(['changed src/a.ts']);
    observed.watch.setBaseline(Date.now());
    observed.watch.setInputs([project.path('src/a.ts'), project.path('lib/c.ts')], false);
    project.write('src/b.ts', '2');
    project.write('lib/c.ts', '2');
    expect(await observed.batch()).toEqual(['changed lib/c.ts']);
    observed.watch.setInputs([project.path('src/a.ts')], false);
    project.write('lib/c.ts', '3');
    project.write('src/a.ts', '3');
    expect(await observed.batch()).toEqual(['changed src/a.ts']);
  });

  it('that changed between their build and being named are changes', async () => {
    const project = oldProject({ 'src/a.ts': '' });
    const observed = await watchProject(project, { inputsOnly: true });
    observed.watch.setBaseline(Date.now() - 10);
    project.write('src/a.ts', 'saved while it was built');
    observed.watch.setInputs([project.path('src/a.ts')], false);
    expect(await observed.batch()).toEqual(['changed src/a.ts']);
  });

  it('may be missing: making them is a change, while others beside them stay as they were', async () => {
    const project = oldProject({ 'src/a.ts': '', 'src/b.ts': '' });
    const observed = await watchProject(project, { inputsOnly: true });
    observed.watch.setInputs([project.path('src/a.ts')], true);
    project.write('src/missing.ts', '');
    expect(await observed.batch()).toEqual([expect.stringMatching(/ src\/missing.ts$/)]);
    project.write('src/tools/missing.ts', '');
    expect(await observed.batch()).toEqual([expect.stringMatching(/ src\/tools\/missing.ts$/)]);
    observed.watch.setInputs(
      ['a', 'missing', 'tools/missing'].map((name) => project.path(`src/${name}.ts`)),
      false,
    );
    project.write('src/b.ts', '1');
    project.write('src/tools/missing.ts', '1');
    expect(await observed.batch()).toEqual(['changed src/tools/missing.ts']);
  });
});

it('files that always count are seen when they are made, changed and removed', async () => {
  const project = oldProject({ 'src/a.ts': '' });
  const files = [project.path('far/away/settings'), project.path('src/.env.test')];
  const observed = await watchProject(project, { inputsOnly: true, files });
  project.write('far/away/other', '');
  project.write('far/away/settings', 'a');
  expect(await observed.batch()).toEqual(['added far/away/settings']);
  project.write('src/.env.test', 'A=1');
  expect(await observed.batch()).toEqual(['added src/.env.test']);
  project.remove('far/away/settings');
  expect(await observed.batch()).toEqual(['removed far/away/settings']);
  project.write('.env', 'A=1');
  expect(await observed.batch()).toEqual(['added .env']);
});

it('a single file of --watch is watched through all kinds of saves', async () => {
  const project = oldProject({ 'one/notes.txt': '', 'one/other.txt': '' });
  const observed = await watchProject(project, { watch: [project.path('one/notes.txt')] });
  for (const text of ['1', '2', '3', '4']) {
    project.write('one/other.txt', text);
    project.atomicWrite('one/notes.txt', text);
    expect(await observed.batch()).toEqual(['changed one/notes.txt']);
  }
  rmSync(project.path('one'), { recursive: true });
  expect(await observed.batch()).toEqual(['removed one/notes.txt']);
  project.write('one/notes.txt', '5');
  expect(await observed.batch()).toEqual(['added one/notes.txt']);
});

it('an ignored output folder is seen when a compiler elsewhere writes it, as one batch', async () => {
  const project = oldProject({ '.gitignore': 'dist\n', 'src/a.ts': '', 'dist/a.js': '', 'dist/b.js': '' });
  const observed = await watchProject(project, {
    compiled: { folder: project.path('dist'), isSource: (path) => path.endsWith('.ts') },
  });
  project.write('src/a.ts', '1');
  rmSync(project.path('dist'), { recursive: true });
  project.write('dist/a.js', '1');
  await observed.changes.find((change) => change.endsWith('dist/a.js'), 'the first output');
  project.write('dist/b.js', '1');
  expect(await observed.batch()).toEqual(['changed dist/a.js', 'changed dist/b.js']);
});

describe('polling', () => {
  it('sees what file events see', async () => {
    const project = oldProject({ 'src/a.ts': '', 'node_modules/x.ts': '' });
    const observed = await watchProject(project, { poll: 50 });
    project.write('node_modules/x.ts', '1');
    for (const text of ['one', 'two, longer', 'three']) {
      project.write('src/a.ts', text);
      expect(await observed.batch()).toEqual(['changed src/a.ts']);
      project.atomicWrite('src/a.ts', `${text}, atomically`);
      expect(await observed.batch()).toEqual(['changed src/a.ts']);
    }
    project.write('made/b/c.ts', '1');
    expect(await observed.batch()).toEqual(['added made/b/c.ts']);
    project.write('made/b/c.ts', '2');
    expect(await observed.batch()).toEqual(['changed made/b/c.ts']);
    project.remove('made');
    expect(await observed.batch()).toEqual(['removed made/b/c.ts']);
    project.write('made/b/c.ts', '3');
    expect(await observed.batch()).toEqual(['added made/b/c.ts']);
  });

  it('survives that the watched folder goes and comes', async () => {
    const project = oldProject({ 'root/a.ts': '' });
    const observed = await watchProject(project, { poll: 50, watch: [project.path('root')] });
    project.remove('root');
    expect(await observed.batch()).toEqual(['removed root/a.ts']);
    project.write('root/a.ts', '1');
    expect(await observed.batch()).toEqual(['added root/a.ts']);
    project.write('root/a.ts', '2');
    expect(await observed.batch()).toEqual(['changed root/a.ts']);
  });
});

it('says nothing after it was closed', async () => {
  const project = oldProject({ 'a.ts': '' });
  const closed = await watchProject(project);
  const open = await watchProject(project);
  project.write('a.ts', '1');
  const closing = closed.watch.close();
  expect(await open.batch()).toEqual(['changed a.ts']);
  await closing;
  project.write('a.ts', '2');
  expect(await open.batch()).toEqual(['changed a.ts']);
  expect(closed.changes.all).toEqual([]);
});
