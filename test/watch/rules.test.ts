import { mkdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Rules } from '../../src/watch/rules.ts';
import { tempProject } from '../kit/temp-project.ts';
import { oldProject, watchProject } from './observed.ts';

describe('always ignored below the base', () => {
  it('version control, packages, caches, environments', () => {
    const project = tempProject({ 'my-env/pyvenv.cfg': '', 'env/settings.py': '' });
    const rules = new Rules({ root: project.folder, ignore: [], outputs: [] });
    const ignores = (path: string) => rules.ignoresFolder(project.path(path), project.folder);
    for (const name of ['.git', '.hg', '.svn', '.jj', 'node_modules', '__pycache__', '.mypy_cache']) {
      expect(ignores(name), name).toBe(true);
      expect(ignores(`packages/a/${name}/deep`), name).toBe(true);
    }
    for (const name of ['.venv', '.tox', '__pypackages__', 'site-packages', '.ruff_cache', 'my-env']) {
      expect(ignores(name), name).toBe(true);
    }
    expect(ignores('env')).toBe(false);
    expect(ignores('src')).toBe(false);
  });

  it('what the build writes', () => {
    const root = '/project';
    const rules = new Rules({ root, ignore: [], outputs: ['/project/dist', '/project/src/generated.ts'] });
    expect(rules.ignoresFolder('/project/dist', root)).toBe(true);
    expect(rules.ignoresFile('/project/dist/a/b.js', root)).toBe(true);
    expect(rules.ignoresFile('/project/src/generated.ts', root)).toBe(true);
    expect(rules.ignoresFile('/project/distant.js', root)).toBe(false);
  });
});

describe('--ignore', () => {
  const cases: [glob: string, path: string, ignored: boolean][] = [
    ['fixtures', '/project/test/fixtures/a.ts', true],
    ['fixtures/', '/project/fixtures/a.ts', true],
    ['*.test.ts', '/project/src/deep/a.test.ts', true],
    ['*.test.ts', '/project/src/deep/a.ts', false],
    ['src/gen/**', '/project/src/gen/a.ts', true],
    ['src/gen/**', '/project/lib/src/gen/a.ts', false],
    ['./src/gen', '/project/src/gen/deep/a.ts', true],
    ['**/tmp', '/project/a/tmp/b.ts', true],
    ['/project/a', '/project/a/b.ts', true],
    ['.cache', '/project/.cache/b.ts', true],
  ];
  for (const [glob, path, ignored] of cases) {
    it(`${glob} ${ignored ? 'ignores' : 'leaves'} ${path}`, () => {
      const rules = new Rules({ root: '/project', ignore: [glob], outputs: [] });
      expect(rules.ignoresFile(path, '/project')).toBe(ignored);
    });
  }
});

describe('.gitignore', () => {
  it('of the root, of folders below, and of folders above up to the top of the repository', () => {
    const project = tempProject({
      '.gitignore': 'far\n',
      'repo/.gitignore': 'logs/\n*.gen.ts\n',
      'repo/app/.gitignore': '/local\n!keep.gen.ts\n',
      'repo/app/src/.gitignore': 'secret.ts\n',
    });
    mkdirSync(project.path('repo/.git'));
    const root = project.path('repo/app');
    const rules = new Rules({ root, ignore: [], outputs: [] });
    const ignores = (path: string) => rules.ignoresFile(project.path(`repo/app/${path}`), root);
    expect(ignores('logs/a.ts')).toBe(true);
    expect(ignores('src/logs/a.ts')).toBe(true);
    expect(ignores('logs')).toBe(false);
    expect(ignores('src/a.gen.ts')).toBe(true);
    expect(ignores('src/keep.gen.ts')).toBe(false);
    expect(ignores('local/a.ts')).toBe(true);
    expect(ignores('src/local/a.ts')).toBe(false);
    expect(ignores('src/secret.ts')).toBe(true);
    expect(ignores('secret.ts')).toBe(false);
    expect(ignores('far/a.ts')).toBe(false);
    expect(rules.ruleFoldersAbove(root)).toEqual([project.path('repo')]);
  });

  it('that ignores the base itself is overruled, the others are not', () => {
    const project = tempProject({ '.gitignore': 'dist/\n', 'dist/.gitignore': '*.log.js\n' });
    mkdirSync(project.path('.git'));
    const base = project.path('dist');
    const rules = new Rules({ root: project.folder, ignore: [], outputs: [] });
    expect(rules.ignoresFile(project.path('dist/a.js'), base)).toBe(false);
    expect(rules.ignoresFile(project.path('dist/a.log.js'), base)).toBe(true);
    expect(rules.ignoresFile(project.path('dist/node_modules/a.js'), base)).toBe(true);
    expect(rules.ignoresFile(project.path('dist/a.js'), project.folder)).toBe(true);
  });

  it('is read again when it changes, above the root too', async () => {
    const project = oldProject({
      '.gitignore': 'out\n',
      'app/.gitignore': 'gen\n*.skip.ts\n',
      'app/a.ts': '',
      'app/gen/b.ts': '',
      'app/out/c.ts': '',
      'app/d.skip.ts': '',
    });
    mkdirSync(project.path('.git'));
    const observed = await watchProject({ ...project, folder: project.path('app') });
    project.write('app/gen/b.ts', '1');
    project.write('app/out/c.ts', '1');
    project.write('app/d.skip.ts', '1');
    project.write('app/a.ts', '1');
    expect(await observed.batch()).toEqual(['changed a.ts']);
    observed.watch.setBaseline(Date.now());

    project.write('app/.gitignore', '');
    project.write('app/a.ts', '2');
    expect(await observed.batch()).toEqual(['changed a.ts']);
    project.write('app/gen/b.ts', '2');
    expect(await observed.batch()).toEqual(['changed gen/b.ts']);
    project.write('app/d.skip.ts', '2');
    expect(await observed.batch()).toEqual(['changed d.skip.ts']);

    project.write('.gitignore', '');
    project.write('app/a.ts', '3');
    expect(await observed.batch()).toEqual(['changed a.ts']);
    project.write('app/out/c.ts', '2');
    expect(await observed.batch()).toEqual(['changed out/c.ts']);

    project.write('app/.gitignore', 'gen\n');
    project.write('app/a.ts', '4');
    expect(await observed.batch()).toEqual(['changed a.ts']);
    project.write('app/gen/b.ts', '3');
    project.write('app/a.ts', '5');
    expect(await observed.batch()).toEqual(['changed a.ts']);
  });
});
