import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { entryBench, folder, write } from './kit.ts';

/** A package in a node_modules folder, at `at`, whose value tells where it lies. */
function installed(at: string, name: string): Record<string, string> {
  return {
    [`${at}node_modules/${name}/package.json`]: JSON.stringify({
      name,
      exports: { import: './index.mjs', require: './index.cjs' },
    }),
    [`${at}node_modules/${name}/index.mjs`]: `export default 'esm ' + import.meta.url.split('/').slice(-4).join('/');`,
    [`${at}node_modules/${name}/index.cjs`]: `module.exports = 'cjs ' + __filename.split('/').slice(-4).join('/');`,
  };
}

/** The inputs by their paths in the bench's folder. */
function inputs(bench: { root: string; builder: { inputs: ReadonlySet<string> } }): string[] {
  return [...bench.builder.inputs].map((path) => path.replace(`${bench.root}/`, '')).sort();
}

describe('sources', () => {
  test('are relative imports, JSON, aliases of tsconfig and of package.json', async () => {
    const bench = entryBench('src/server.ts', {
      'package.json': JSON.stringify({ type: 'module', imports: { '#near': './src/near.ts' } }),
      'tsconfig.json': `{
        // aliases as editors know them
        "extends": "./config/base",
        "compilerOptions": { "paths": { "@/*": ["./src/*"], "lib": ["../nowhere", "./libs/lib/main.ts"] } },
      }`,
      'config/base.json': '{ "extends": "./base2.json", "compilerOptions": { "strict": true } }',
      'config/base2.json': '{}',
      'src/server.ts': `
import data from './data.json' with { type: 'json' };
import { a } from '@/deep/a.js';
import { lib } from 'lib';
import { near } from '#near';
const { late } = await import('./late.js');
console.log(JSON.stringify([data, a, lib, near, late]));`,
      'src/data.json': '{ "n": 1 }',
      'src/deep/a.ts': `export const a: string = 'a';`,
      'src/near.ts': `export const near: string = 'near';`,
      'src/late.ts': `export const late: string = 'late';`,
      'libs/lib/main.ts': `export const lib: string = 'lib';`,
    });
    expect(await bench.see()).toEqual([{ n: 1 }, 'a', 'lib', 'near', 'late']);
    expect(inputs(bench)).toEqual([
      'config/base.json',
      'config/base2.json',
      'libs/lib/main.ts',
      'package.json',
      'src/data.json',
      'src/deep/a.ts',
      'src/late.ts',
      'src/near.ts',
      'src/server.ts',
      'tsconfig.json',
    ]);
  });

  test('are the packages of a workspace, which find their own packages', async () => {
    const bench = entryBench('apps/server/src/server.ts', {
      'package.json': '{ "workspaces": ["apps/*", "libs/*"] }',
      'apps/server/package.json': '{ "type": "module" }',
      'apps/server/src/server.ts': `
import mine from 'dep';
import { theirs, where } from '@team/tools';
import { cjs } from '@team/old';
console.log(JSON.stringify({ mine, theirs, where, cjs }));`,
      'libs/tools/package.json': '{ "name": "@team/tools", "type": "module", "exports": "./src/index.ts" }',
      'libs/tools/src/index.ts': `
import dep from 'dep';
export const theirs: string = dep;
export const where: string = import.meta.dirname;`,
      'libs/old/package.json': '{ "name": "@team/old", "main": "lib/index.js" }',
      'libs/old/lib/index.js': `exports.cjs = [__dirname, require('dep'), require.main === module];`,
      ...installed('apps/server/', 'dep'),
      ...installed('libs/tools/', 'dep'),
      ...installed('libs/old/', 'dep'),
    });
    mkdirSync(join(bench.root, 'node_modules/@team'), { recursive: true });
    symlinkSync('../../libs/tools', join(bench.root, 'node_modules/@team/tools'));
    symlinkSync('../../libs/old', join(bench.root, 'node_modules/@team/old'));
    expect(await bench.see()).toEqual({
      mine: 'esm server/node_modules/dep/index.mjs',
      theirs: 'esm tools/node_modules/dep/index.mjs',
      where: join(bench.root, 'libs/tools/src'),
      cjs: [join(bench.root, 'libs/old/lib'), 'cjs old/node_modules/dep/index.cjs', false],
    });
    expect(inputs(bench)).toEqual([
      'apps/server/package.json',
      'apps/server/src/server.ts',
      'libs/old/lib/index.js',
      'libs/old/package.json',
      'libs/tools/package.json',
      'libs/tools/src/index.ts',
    ]);
  });

  test('the same in a CommonJS program', async () => {
    const bench = entryBench('app/server.cts', {
      'app/server.cts': `
import mine from 'dep';
import { theirs } from 'tools';
import('dep').then((late) => console.log(JSON.stringify({ mine, theirs, late: late.default })));`,
      'tools/package.json': '{ "name": "tools", "main": "index.ts" }',
      'tools/index.ts': `import dep from 'dep'; export const theirs: string = dep;`,
      ...installed('app/', 'dep'),
      ...installed('tools/', 'dep'),
    });
    mkdirSync(join(bench.root, 'node_modules'));
    symlinkSync('../tools', join(bench.root, 'node_modules/tools'));
    expect(await bench.see()).toEqual({
      mine: 'cjs app/node_modules/dep/index.cjs',
      theirs: 'cjs tools/node_modules/dep/index.cjs',
      late: 'esm app/node_modules/dep/index.mjs',
    });
  });
});

test('what is installed may change between builds', async () => {
  const bench = entryBench('server.mts', {
    'package.json': '{ "imports": { "#a": "dep" } }',
    'tsconfig.json': '{}',
    'server.mts': `
import dep from 'dep';
import a from '#a';
const late = await import('@team/late').then(({ name }) => name, ({ code }) => code);
console.log(JSON.stringify([dep, a, late]));`,
    'a.mts': `export default 'own file';`,
    'libs/dep/package.json': '{ "name": "dep", "exports": "./main.mjs" }',
    'libs/dep/main.mjs': `export default 'own dep';`,
    'libs/late/package.json': '{ "name": "@team/late", "exports": "./main.ts" }',
    'libs/late/main.ts': `export const name: string = 'late';`,
    ...installed('', 'dep'),
  });
  const dep = `esm ${bench.root.split('/').at(-1)}/node_modules/dep/index.mjs`;
  expect(await bench.see()).toEqual([dep, dep, 'ERR_MODULE_NOT_FOUND']);
  expect(await bench.see()).toEqual([dep, dep, 'ERR_MODULE_NOT_FOUND']);

  rmSync(join(bench.root, 'node_modules/dep'), { recursive: true });
  symlinkSync('../libs/dep', join(bench.root, 'node_modules/dep'));
  mkdirSync(join(bench.root, 'node_modules/@team'));
  symlinkSync('../../libs/late', join(bench.root, 'node_modules/@team/late'));
  expect(await bench.see()).toEqual(['own dep', 'own dep', 'late']);
  expect(inputs(bench)).toContain('libs/dep/main.mjs');

  write(bench.root, { 'package.json': '{ "imports": { "#a": "./a.mts" } }' });
  expect(await bench.see()).toEqual(['own dep', 'own file', 'late']);
  write(bench.root, { 'tsconfig.json': '{ "compilerOptions": { "paths": { "dep": ["./a.mts"] } } }' });
  expect(await bench.see()).toEqual(['own file', 'own file', 'late']);
  rmSync(join(bench.root, 'node_modules/@team/late'));
  expect(await bench.see()).toEqual(['own file', 'own file', 'ERR_MODULE_NOT_FOUND']);
});

describe('packages', () => {
  test('stay packages, by whatever alias they are named', async () => {
    const bench = entryBench('server.ts', {
      'package.json': JSON.stringify({ type: 'module', imports: { '#dep': 'dep' } }),
      'server.ts': `
import fs from 'fs';
import { sep } from 'node:path';
import dep from 'dep';
import again from '#dep';
console.log(JSON.stringify([typeof fs.readFileSync, sep, dep, again]));`,
      ...installed('', 'dep'),
    });
    const dep = `esm ${bench.root.split('/').at(-1)}/node_modules/dep/index.mjs`;
    expect(await bench.see()).toEqual(['function', '/', dep, dep]);
    expect(inputs(bench)).toEqual(['package.json', 'server.ts']);
  });

  test('that are not installed are the matter of who asks for them', async () => {
    const bench = entryBench('server.mts', {
      'server.mts': `
let code: unknown;
try { await import('not-there'); } catch (error) { code = (error as { code: string }).code; }
console.log(JSON.stringify(code));`,
    });
    expect(await bench.see()).toBe('ERR_MODULE_NOT_FOUND');
  });

  test('are found without a node_modules folder of one’s own, if at all', async () => {
    const bench = entryBench('server.mts', {
      'server.mts': `console.log(JSON.stringify(import.meta.dirname));`,
    });
    expect(await bench.see()).toBe(bench.root);
    const output = bench.builder.args.at(-1)!;
    expect(output.startsWith(bench.root)).toBe(false);
  });

  test('a compiled add-on is loaded from where it lies', async () => {
    const bench = entryBench('server.cts', {
      'server.cts': `try { require('./build/x.node'); } catch (error) { console.log(JSON.stringify(String(error))); }`,
      'build/x.node': 'no machine code',
    });
    // The message of the dynamic linker names the file that it was given.
    expect(await bench.see()).toContain(join(bench.root, 'build/x.node'));
  });
});

test('an entry that is named through a link is built as what it is', async () => {
  const real = folder({
    'server.mts': `import { b } from './b.mjs'; console.log(JSON.stringify([process.argv[1], b]));`,
  });
  write(real, { 'b.mts': `export const b: number = 1;` });
  const bench = entryBench('link/server.mts', {});
  symlinkSync(real, join(bench.root, 'link'));
  expect(await bench.see()).toEqual([join(real, 'server.mts'), 1]);
  expect([...bench.builder.inputs]).toContain(join(real, 'b.mts'));
});

test('JSX is compiled as tsconfig says', async () => {
  const bench = entryBench('server.tsx', {
    'package.json': '{ "type": "module" }',
    'tsconfig.json': '{ "compilerOptions": { "jsx": "react", "jsxFactory": "make" } }',
    'server.tsx': `const make = (...parts: unknown[]) => parts; console.log(JSON.stringify(<a href="x">text</a>));`,
  });
  expect(await bench.see()).toEqual(['a', { href: 'x' }, 'text']);
});
