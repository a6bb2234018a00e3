import { relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Scope, type ScopeOptions } from '../../src/watch/scope.ts';
import { tempProject } from '../kit/temp-project.ts';

/** A project with a little of everything, and the scope of the options in it. */
function scopeOf(options: (path: (name: string) => string) => Partial<ScopeOptions>) {
  const project = tempProject({
    '.gitignore': 'dist\n.env\n',
    'src/a.ts': '',
    'dist/a.js': '',
    'node_modules/pkg/index.js': '',
    'prompts/p.prompt': '',
  });
  const scope = new Scope({
    root: project.folder,
    watch: [],
    ignore: [],
    extensions: new Set(['ts', 'js', 'json']),
    outputs: [],
    files: [],
    compiled: undefined,
    inputsOnly: false,
    ...options(project.path),
  });
  return {
    project,
    scope,
    counts: (name: string) => scope.counts(project.path(name)),
    plan: () => scope.plan().map(({ folder }) => relative(project.folder, folder) || '.'),
  };
}

describe('without --watch', () => {
  it('source below the root counts', () => {
    const { counts, plan } = scopeOf(() => ({}));
    expect(counts('src/a.ts')).toBe(true);
    expect(counts('src/A.TS')).toBe(true);
    expect(counts('src/a.txt')).toBe(false);
    expect(counts('Makefile')).toBe(false);
    expect(counts('dist/a.js')).toBe(false);
    expect(counts('node_modules/pkg/index.js')).toBe(false);
    expect(counts('../beside.ts')).toBe(false);
    expect(plan()).toEqual(['.']);
  });

  it('with all types, files without one count too', () => {
    const { counts } = scopeOf(() => ({ extensions: 'all' }));
    expect(counts('Makefile')).toBe(true);
    expect(counts('dist/a.js')).toBe(false);
  });

  it('.env files of the root count, though ignored and of no type', () => {
    const { counts } = scopeOf(() => ({}));
    expect(counts('.env')).toBe(true);
    expect(counts('.env.local')).toBe(true);
    expect(counts('src/.env')).toBe(false);
  });
});

describe('--watch', () => {
  it('takes the place of the root', () => {
    const { counts, plan } = scopeOf((path) => ({ watch: [path('src')] }));
    expect(counts('src/deep/b.ts')).toBe(true);
    expect(counts('b.ts')).toBe(false);
    expect(counts('.env')).toBe(true);
    expect(plan().sort()).toEqual(['.', 'src']);
  });

  it('of an ignored folder counts, what is ignored below it does not', () => {
    const { counts, scope, project } = scopeOf((path) => ({
      watch: [path('dist'), path('node_modules/pkg')],
    }));
    expect(counts('dist/a.js')).toBe(true);
    expect(counts('node_modules/pkg/index.js')).toBe(true);
    expect(counts('node_modules/pkg/node_modules/other/index.js')).toBe(false);
    expect(counts('node_modules/other/index.js')).toBe(false);
    expect(counts('dist/__pycache__/a.js')).toBe(false);
    const pkg = scope.plan().find(({ folder }) => folder === project.path('node_modules/pkg'));
    expect(pkg?.descend(project.path('node_modules/pkg/lib'))).toBe(true);
    expect(pkg?.descend(project.path('node_modules/pkg/node_modules'))).toBe(false);
  });

  it('of a file or a glob counts whatever its type', () => {
    const { counts } = scopeOf((path) => ({ watch: [path('notes.txt'), path('prompts/**/*.prompt')] }));
    expect(counts('notes.txt')).toBe(true);
    expect(counts('other.txt')).toBe(false);
    expect(counts('prompts/deep/a.prompt')).toBe(true);
    expect(counts('prompts/deep/a.ts')).toBe(false);
    expect(counts('prompts/node_modules/a.prompt')).toBe(false);
  });

  it('of a path with brackets means that file, if there is one', () => {
    const project = tempProject({ 'src/[id].ts': '' });
    const watch = [project.path('src/[id].ts')];
    const { counts } = scopeOf(() => ({ root: project.folder, watch }));
    expect(counts('src/i.ts')).toBe(false);
  });

  it('goes on ignoring what --ignore says', () => {
    const { counts } = scopeOf((path) => ({ watch: [path('src')], ignore: ['*.test.ts'] }));
    expect(counts('src/a.test.ts')).toBe(false);
  });

  it('watches each folder once', () => {
    const { plan } = scopeOf((path) => ({
      watch: [path('.'), path('src'), path('src/deep/*.sql'), path('dist')],
      files: [path('src/settings'), path('../outside/settings')],
    }));
    expect(plan()).toEqual(['.', 'dist', '../outside']);
  });
});

it('what the build writes never counts, not even when named', () => {
  const { counts } = scopeOf((path) => ({ outputs: [path('dist')], watch: [path('dist'), path('.')] }));
  expect(counts('dist/a.js')).toBe(false);
});

it('files that always count do so wherever they are', () => {
  const { counts, scope } = scopeOf((path) => ({
    files: [path('node_modules/settings'), '/etc/settings.env'],
  }));
  expect(counts('node_modules/settings')).toBe(true);
  expect(scope.counts('/etc/settings.env')).toBe(true);
  expect(scope.counts('/etc/other.env')).toBe(false);
});

describe('with inputs', () => {
  it('only they count, and what was named', () => {
    const { counts, scope, project, plan } = scopeOf((path) => ({
      inputsOnly: true,
      watch: [path('prompts')],
      files: [path('settings.yaml')],
    }));
    scope.setInputs(new Set([project.path('src/a.ts'), project.path('dist/generated.js')]), false);
    expect(counts('src/a.ts')).toBe(true);
    expect(counts('dist/generated.js')).toBe(true);
    expect(counts('src/b.ts')).toBe(false);
    expect(counts('prompts/a.json')).toBe(true);
    expect(counts('settings.yaml')).toBe(true);
    expect(counts('.env')).toBe(true);
    expect(plan().sort()).toEqual(['.', 'dist', 'prompts', 'src']);
  });

  it('after a failed build any source beside or below them counts', () => {
    const { counts, scope, project } = scopeOf(() => ({ inputsOnly: true }));
    scope.setInputs(new Set([project.path('src/a.ts')]), true);
    expect(counts('src/missing.ts')).toBe(true);
    expect(counts('src/tools/missing.ts')).toBe(true);
    expect(counts('src/readme.txt')).toBe(false);
    expect(counts('src/node_modules/x.ts')).toBe(false);
    expect(counts('other/missing.ts')).toBe(false);
  });
});

describe('with a compiler that runs elsewhere', () => {
  it('its output counts, and its sources do not', () => {
    const { counts, scope, project } = scopeOf((path) => ({
      compiled: { folder: path('dist'), isSource: (file) => file.endsWith('.ts') },
      outputs: [path('dist')],
    }));
    expect(counts('dist/a.js')).toBe(true);
    expect(scope.isCompiled(project.path('dist/a.js'))).toBe(true);
    expect(counts('dist/node_modules/a.js')).toBe(false);
    expect(counts('src/a.ts')).toBe(false);
    expect(counts('src/data.json')).toBe(true);
    expect(scope.isCompiled(project.path('src/data.json'))).toBe(false);
  });
});
