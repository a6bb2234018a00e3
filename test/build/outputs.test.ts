import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compiledSources, knownOutputs } from '../../src/build/outputs.ts';
import { folder } from './kit.ts';

const TSC = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');

/** The known outputs, relative to the root. */
async function outputs(root: string, entry?: string): Promise<string[]> {
  const known = await knownOutputs(entry === undefined ? { root } : { root, entry: join(root, entry) });
  return known.map((path) => relative(root, path)).sort();
}

describe('what the compiler really writes is known', () => {
  const source = 'export const a: number = 1;\n';

  test.each<[string, Record<string, string>, string[]]>([
    [
      'outDir and rootDir',
      { 'tsconfig.json': '{ "compilerOptions": { "outDir": "dist", "rootDir": "src" } }' },
      [],
    ],
    [
      'incremental, with outDir and rootDir',
      {
        'tsconfig.json': '{ "compilerOptions": { "outDir": "dist", "rootDir": "src", "incremental": true } }',
      },
      [],
    ],
    [
      'incremental, without rootDir',
      { 'tsconfig.json': '{ "compilerOptions": { "outDir": "dist", "composite": true, "rootDir": "." } }' },
      [],
    ],
    [
      'a build info file of its own, and declarations elsewhere',
      {
        'tsconfig.json': `{
          // comments and trailing commas are fine
          "extends": "./config/base.json",
          "compilerOptions": { "declaration": true, "declarationDir": "types", "rootDir": "src",
            "incremental": true, "tsBuildInfoFile": ".tsc/info", },
        }`,
        'config/base.json': '{ "compilerOptions": { "outDir": "../out" } }',
      },
      [],
    ],
    [
      'noEmit with a build config beside it',
      {
        'tsconfig.json': '{ "compilerOptions": { "noEmit": true, "outDir": "src" } }',
        'tsconfig.build.json':
          '{ "extends": "./tsconfig.json", "compilerOptions": { "noEmit": false, "outDir": "build", "rootDir": "src" }, "include": ["src"] }',
      },
      ['-p', 'tsconfig.build.json'],
    ],
    [
      'references',
      {
        'tsconfig.json':
          '{ "files": [], "references": [{ "path": "./lib" }, { "path": "./tsconfig.src.json" }] }',
        'tsconfig.src.json':
          '{ "compilerOptions": { "composite": true, "outDir": "dist", "rootDir": "src" }, "include": ["src"] }',
        'lib/tsconfig.json': '{ "compilerOptions": { "composite": true, "outDir": "../made/lib" } }',
        'lib/b.ts': source,
      },
      ['-b'],
    ],
  ])('%s', async (_, files, args) => {
    const root = folder({ 'src/a.ts': source, ...files });
    const before = new Set(readdirSync(root, { recursive: true, encoding: 'utf8' }));
    const known = await outputs(root);
    const { status, stdout } = spawnSync(process.execPath, [TSC, ...args], { cwd: root, encoding: 'utf8' });
    expect(stdout).toBe('');
    expect(status).toBe(0);
    const written = readdirSync(root, { recursive: true, encoding: 'utf8', withFileTypes: true })
      .filter((each) => each.isFile())
      .map((each) => relative(root, join(each.parentPath, each.name)))
      .filter((path) => !before.has(path));
    expect(written.length).toBeGreaterThan(0);
    const unknown = written.filter((path) => !known.some((o) => path === o || path.startsWith(`${o}/`)));
    expect(unknown).toEqual([]);
  });
});

describe('a folder with sources in it is no output', () => {
  test.each<[string, string, string | undefined, string[]]>([
    ['the root', '{ "compilerOptions": { "outDir": "." }, "include": ["src"] }', undefined, []],
    ['one above the root', '{ "compilerOptions": { "outDir": ".." }, "include": ["src"] }', undefined, []],
    [
      'the source folder',
      '{ "compilerOptions": { "outDir": "src" }, "include": ["src/**/*"] }',
      undefined,
      [],
    ],
    [
      'what rootDir lies in',
      '{ "compilerOptions": { "outDir": "src", "rootDir": "src/deep" }, "files": [] }',
      undefined,
      [],
    ],
    [
      'that of a named file',
      '{ "compilerOptions": { "outDir": "src" }, "files": ["src/deep/a.ts"] }',
      undefined,
      [],
    ],
    [
      'that of a TypeScript entry',
      '{ "compilerOptions": { "outDir": "app" }, "include": ["src"] }',
      'app/a.ts',
      [],
    ],
    [
      'not that of a compiled entry',
      '{ "compilerOptions": { "outDir": "app" }, "include": ["src"] }',
      'app/a.js',
      ['app'],
    ],
  ])('%s', async (_, config, entry, expected) => {
    const root = folder({ 'tsconfig.json': config, 'src/deep/a.ts': '', 'app/a.ts': '', 'app/a.js': '' });
    const known = await outputs(root, entry);
    expect(known.filter((path) => !path.endsWith('.tsbuildinfo'))).toEqual(expected);
  });
});

test('the tsconfig nearest to the entry counts, one with errors does not', async () => {
  const root = folder({
    'tsconfig.json': 'no JSON at all',
    'tsconfig.bad.json': '{ "extends": "./not-there.json", "compilerOptions": { "outDir": "bad" } }',
    'packages/a/tsconfig.json':
      '{ "compilerOptions": { "outDir": "dist" }, "references": [{ "path": "../gone" }] }',
    'packages/a/src/server.ts': '',
  });
  expect(await outputs(root, 'packages/a/src/server.ts')).toContain('packages/a/dist');
  expect(await outputs(root)).not.toContain('bad');
});

describe('the sources that compile into a folder', () => {
  async function sources(files: Record<string, string>, paths: string[]): Promise<string[]> {
    const root = folder(files);
    const compiles = await compiledSources({ root, folder: join(root, 'dist') });
    return paths.filter((path) => compiles(join(root, path)));
  }
  const paths = [
    'src/a.ts',
    'src/b.tsx',
    'src/c.js',
    'src/d.json',
    'test/e.ts',
    'f.md',
    'dist/g.d.ts',
    'scripts/h.mts',
  ];

  test('are told by include, exclude and rootDir', async () => {
    const tsconfig = '{ "compilerOptions": { "outDir": "dist", "rootDir": "src" }, "exclude": ["**/*.tsx"] }';
    expect(await sources({ 'tsconfig.json': tsconfig }, paths)).toEqual(['src/a.ts']);
  });

  test('are told by files and allowJs', async () => {
    const tsconfig =
      '{ "compilerOptions": { "outDir": "dist/esm", "allowJs": true }, "files": ["test/e.ts"], "include": ["src"] }';
    expect(await sources({ 'tsconfig.json': tsconfig }, paths)).toEqual([
      'src/a.ts',
      'src/b.tsx',
      'src/c.js',
      'test/e.ts',
    ]);
  });

  test('are all of TypeScript without such a tsconfig', async () => {
    const tsconfig = '{ "compilerOptions": { "outDir": "elsewhere" }, "include": ["src"] }';
    const expected = ['src/a.ts', 'src/b.tsx', 'test/e.ts', 'scripts/h.mts'];
    expect(await sources({ 'tsconfig.json': tsconfig }, paths)).toEqual(expected);
    expect(await sources({}, paths)).toEqual(expected);
  });
});
