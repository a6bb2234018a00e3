import { spawnSync } from 'node:child_process';
import { lstatSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { clearCaches } from '../../src/build/caches.ts';
import { folder } from './kit.ts';

const GLOBS = ['**/__pycache__'];

/** All files below the folder, by relative path. */
function filesOf(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true, encoding: 'utf8' })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

test('a module whose source kept its size and time is compiled anew', async () => {
  const root = folder({
    'server.py': 'import tool; print(tool.answer())',
    'tool.py': 'def answer(): return "old"\n',
  });
  const run = () =>
    spawnSync('python3', ['server.py'], { cwd: root, encoding: 'utf8', env: environment }).stdout;
  const { PYTHONDONTWRITEBYTECODE: _, PYTHONPYCACHEPREFIX: __, ...environment } = process.env;
  // In the past: python trusts the cache of a source of this very second as well, but a test should not race it.
  const time = new Date('2024-01-01T00:00:00Z');
  utimesSync(join(root, 'tool.py'), time, time);
  expect(run()).toBe('old\n');
  writeFileSync(join(root, 'tool.py'), 'def answer(): return "new"\n');
  utimesSync(join(root, 'tool.py'), time, time);
  expect(run()).toBe('old\n');

  expect(await clearCaches({ roots: [root], globs: GLOBS })).toEqual({
    removed: [join(root, '__pycache__')],
    failed: [],
  });
  expect(run()).toBe('new\n');
});

describe('removes', () => {
  test('what matches below the roots, once, at any depth, hidden too', async () => {
    const root = folder({
      '__pycache__/a.pyc': '',
      'pkg/__pycache__/b.pyc': '',
      'pkg/.hidden/__pycache__/c.pyc': '',
      'pkg/__pycache__.txt': '',
      'pkg/a.py': '',
      '.cache/x': '',
      'pkg/one.tmp': '',
    });
    const { removed, failed } = await clearCaches({
      roots: [root, join(root, 'pkg'), root],
      globs: [...GLOBS, '.cache', '**/*.tmp'],
    });
    expect(failed).toEqual([]);
    expect(removed.map((path) => relative(root, path))).toEqual([
      '.cache',
      '__pycache__',
      'pkg/.hidden/__pycache__',
      'pkg/__pycache__',
      'pkg/one.tmp',
    ]);
    expect(filesOf(root)).toEqual(['pkg/__pycache__.txt', 'pkg/a.py']);
  });

  test('nothing without a glob, and nothing of a root that is a file or not there', async () => {
    const root = folder({ '__pycache__/a.pyc': '', 'a.py': '' });
    expect(await clearCaches({ roots: [root], globs: [] })).toEqual({ removed: [], failed: [] });
    const roots = [join(root, 'a.py'), join(root, 'nowhere')];
    expect(await clearCaches({ roots, globs: GLOBS })).toEqual({ removed: [], failed: [] });
    expect(filesOf(root)).toEqual(['__pycache__/a.pyc', 'a.py']);
  });
});

describe('leaves alone', () => {
  test('.git, node_modules and Python environments, and all that is in them', async () => {
    const files = {
      '.git/__pycache__/a': '',
      'node_modules/p/__pycache__/b': '',
      'env/pyvenv.cfg': '',
      'env/lib/__pycache__/c.pyc': '',
      'conda/conda-meta/history': '',
      'conda/lib/__pycache__/d.pyc': '',
      'sub/.git': 'gitdir: elsewhere',
    };
    const root = folder(files);
    const globs = [...GLOBS, '**/.git', '**/node_modules', '.git/**', 'node_modules/**'];
    expect(await clearCaches({ roots: [root, join(root, '.git')], globs })).toEqual({
      removed: [],
      failed: [],
    });
    expect(filesOf(root)).toEqual(Object.keys(files).sort());
  });

  test('a matching folder that has one of them in it, and says so', async () => {
    const root = folder({ 'build/deep/.git/HEAD': '', 'build/x': '', 'other/build/x': '' });
    expect(await clearCaches({ roots: [root], globs: ['**/build'] })).toEqual({
      removed: [join(root, 'other/build')],
      failed: [{ path: join(root, 'build'), message: `${join(root, 'build/deep/.git')} is in it` }],
    });
    expect(filesOf(root)).toEqual(['build/deep/.git/HEAD', 'build/x']);
  });

  test('links, and what they lead to', async () => {
    const outside = folder({ '__pycache__/a.pyc': '', 'cache/b.pyc': '' });
    const root = folder({ 'a.py': '', 'real/__pycache__/c.pyc': '' });
    symlinkSync(outside, join(root, 'linked'));
    symlinkSync(join(outside, 'cache'), join(root, '__pycache__'));
    symlinkSync(join(outside, 'cache'), join(root, 'real/__pycache__/out'));
    const { removed } = await clearCaches({ roots: [root], globs: GLOBS });
    expect(removed).toEqual([join(root, 'real/__pycache__')]);
    expect(filesOf(outside)).toEqual(['__pycache__/a.pyc', 'cache/b.pyc']);
    expect(lstatSync(join(root, '__pycache__')).isSymbolicLink()).toBe(true);
  });

  test('but a root may itself be named by a link', async () => {
    const root = folder({ 'real/__pycache__/a.pyc': '' });
    symlinkSync(join(root, 'real'), join(root, 'link'));
    const { removed } = await clearCaches({ roots: [join(root, 'link')], globs: GLOBS });
    expect(removed).toEqual([join(root, 'real/__pycache__')]);
  });
});

test('what can’t be looked into is named, and the rest is cleared', async () => {
  const root = folder({ '__pycache__/a.pyc': '' });
  const circle = join(root, 'circle');
  symlinkSync(circle, circle);
  expect(await clearCaches({ roots: [circle, root], globs: GLOBS })).toEqual({
    removed: [join(root, '__pycache__')],
    failed: [{ path: circle, message: expect.stringContaining('ELOOP') }],
  });
});
