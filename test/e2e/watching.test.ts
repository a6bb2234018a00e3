import { execFileSync } from 'node:child_process';
import { renameSync, symlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { tempProject } from '../kit/temp-project.ts';
import { until } from '../kit/wait.ts';
import { type Files, Live, PLAIN_JS, PLAIN_TS, plainText, toolsText } from './live.ts';

const COMMAND = ['--', 'node', 'server.mjs'];

/**
 * Saves each of the first files, which must start nothing, and then one of the second, which must: if one of the
 * first counted, it would be named beside it or before it.
 */
async function onlyCounts(live: Live, nothing: readonly string[], counts: readonly string[]): Promise<void> {
  for (const [at, name] of counts.entries()) {
    for (const other of nothing) live.project.write(other, `${at} ${other}`);
    await live.reload(at + 2, name, `${at} ${name}`);
  }
  expect(live.triggers).toEqual(counts);
}

test.each<{ name: string; args?: readonly string[]; files?: Files; nothing: string[]; counts: string[] }>([
  {
    name: 'by default sources below the project root, whatever the folder',
    files: { '.gitignore': '/generated\n*.log.js\n' },
    nothing: [
      'generated/a.js',
      'src/x.log.js',
      'node_modules/p/a.js',
      'notes.txt',
      'src/.env',
      '.venv/lib/a.py',
    ],
    counts: ['src/deep/a.sql', 'b.md', '.env', '.env.local'],
  },
  {
    name: 'with --watch only the file, the folder, the glob',
    args: ['--watch', 'one.txt', '--watch', 'folder', '--watch', 'globs/**/*.{txt,ini}'],
    files: { 'one.txt': '', 'folder/a.js': '' },
    nothing: ['two.txt', 'a.js', 'folder/a.txt', 'globs/a.js', 'folder/node_modules/p/a.js'],
    counts: ['one.txt', 'folder/deep/a.js', 'globs/x/a.ini', '.env'],
  },
  {
    name: 'what --watch names although it is ignored, but nothing ignored below it',
    args: ['-w', 'dist', '-w', 'node_modules/linked'],
    files: { '.gitignore': 'dist\n', 'dist/a.js': '', 'node_modules/linked/a.js': '' },
    nothing: ['node_modules/other/a.js', 'node_modules/linked/node_modules/p/a.js', 'dist/__pycache__/a.py'],
    counts: ['dist/deep/a.js', 'node_modules/linked/lib/a.js'],
  },
  {
    name: 'what --ignore does not name',
    args: ['--ignore', '*.test.js', '-i', 'src/generated/**', '-i', 'docs'],
    nothing: ['a.test.js', 'src/deep/b.test.js', 'src/generated/x/a.js', 'docs/x/a.md', 'src/docs/a.md'],
    counts: ['src/a.js', 'generated/a.js'],
  },
  {
    name: 'the file types of --ext',
    args: ['--ext', 'txt,.ini'],
    nothing: ['src/a.js', 'package.lock'],
    counts: ['src/a.txt', 'b.ini', 'c.INI'],
  },
  {
    name: 'every type with --ext *, but not the log',
    args: ['-e', '*', '--log-file', 'dev.log'],
    nothing: ['src/.a.txt.swp', 'a.txt~', '.git/x'],
    counts: ['Makefile', 'src/a.unknown'],
  },
  {
    name: 'polled with --poll, the same',
    args: ['--poll', '40'],
    files: { '.gitignore': 'generated\n' },
    nothing: ['generated/a.js', 'notes.txt', 'node_modules/p/a.js'],
    counts: ['src/a.js', 'src/new/deep/b.js', 'src/a.js'],
  },
])('what counts: $name', async ({ args = [], files = {}, nothing, counts }) => {
  const live = await Live.connect({ ...PLAIN_JS, 'src/a.js': '', ...files }, [...args, ...COMMAND]);
  await onlyCounts(live, nothing, counts);
});

test('a folder that is made in one go with all above it, renamed away and made again', async () => {
  const live = await Live.connect(PLAIN_JS, ['--watch', '.', ...COMMAND]);
  await live.reload(2, 'a/b/c/d.js', '1');
  await live.reload(3, 'a/b/c/d.js', '2');
  renameSync(live.project.path('a'), live.project.path('a-before'));
  await live.tookOver(4);
  await live.reload(5, 'a/b/c/d.js', '3');
  await live.reload(6, 'a-before/b/c/d.js', '4');
});

test('a project that is reached through a symlink', async () => {
  const project = tempProject();
  for (const [name, text] of Object.entries(PLAIN_TS)) project.write(`real/${name}`, text);
  symlinkSync('real', project.path('link'));
  const live = await Live.connectIn(project, ['server.ts'], { cwd: 'link' });
  project.write('link/tools.ts', toolsText('two'));
  await live.tookOver(2);
  expect(await live.call()).toBe('two');
  project.atomicWrite('real/tools.ts', toolsText('three'));
  await live.tookOver(3);
  expect(await live.call()).toBe('three');
});

test('the project is found from the program, wherever the client starts', async () => {
  const project = tempProject({ 'elsewhere/x.js': '' });
  for (const [name, text] of Object.entries(PLAIN_JS)) project.write(`home/project/${name}`, text);
  const live = await Live.connectIn(project, ['--', 'node', project.path('home/project/server.mjs')], {
    cwd: 'elsewhere',
  });
  project.write('elsewhere/x.js', '1');
  project.write('home/project/server.mjs', plainText('two'));
  await live.tookOver(2);
  expect(live.triggers).toEqual(['server.mjs']);
  expect(await live.call()).toBe('two');
});

test('a .gitignore that changes: what it names counts no more, and what it does not name any more counts', async () => {
  const live = await Live.connect(
    { ...PLAIN_JS, '.gitignore': 'one.js\n', 'one.js': '', 'two.js': '' },
    COMMAND,
  );
  live.project.write('.gitignore', 'two.js\n');
  await until(async () => {
    live.project.write('one.js', String(Math.random()));
    return live.triggers.length > 0;
  }, 'one.js counts');
  live.project.write('two.js', '1');
  live.project.write('server.mjs', plainText('two'));
  await until(async () => (await live.call()) === 'two', 'the last save is served');
  expect(live.triggers.join()).not.toContain('two.js');
});

test('a checkout of a branch with 100 other files is at most three reloads, the last with everything', async () => {
  const project = tempProject(PLAIN_JS);
  const git = (...args: string[]) => {
    const identity = ['-c', 'user.name=a', '-c', 'user.email=a@b.c', '-c', 'init.defaultBranch=main'];
    execFileSync('git', [...identity, ...args], { cwd: project.folder, stdio: 'pipe' });
  };
  const commit = (version: string) => {
    for (let n = 0; n < 100; n++) project.write(`src/${n % 7}/file${n}.js`, `${version} ${n}`);
    project.write('server.mjs', plainText(version));
    git('add', '.');
    git('commit', '-qm', version);
  };
  git('init', '-q');
  commit('main');
  git('checkout', '-qb', 'other');
  commit('other');
  git('checkout', '-q', 'main');

  const live = await Live.connectIn(project, COMMAND);
  let generation = 1;
  for (const branch of ['other', 'main', 'other']) {
    git('checkout', '-q', branch);
    // The call is held until the checkout is served, once its first file was seen.
    await until(async () => (await live.call()) === branch, `${branch} is served`);
    const before = generation;
    generation = live.triggers.length + 1;
    expect(generation - before).toBeLessThanOrEqual(3);
  }
  await live.reload(live.triggers.length + 2, 'src/marker.js', '1');
  expect(live.triggers.length).toBeLessThanOrEqual(10);
});
