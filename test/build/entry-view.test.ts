import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { entryBench, write } from './kit.ts';

/** A package that notes what argv[1] was when it was loaded. */
const EARLY = {
  'node_modules/early/package.json': '{ "name": "early", "main": "index.cjs" }',
  'node_modules/early/index.cjs': 'module.exports = process.argv[1];',
};
const MODULE = { 'package.json': '{ "type": "module" }' };
const COMMONJS = { 'package.json': '{ "type": "commonjs" }' };

describe('an ESM program', () => {
  const files = {
    'src/server.ts': `#!/usr/bin/env node
import early from 'early';
import { pathToFileURL } from 'node:url';
import { seen } from './lib/other.ts';
import { sep } from 'node:path';
const main = import.meta.url === pathToFileURL(process.argv[1]!).href;
await Promise.resolve();
console.log(JSON.stringify({
  early, main, argv: process.argv.slice(1), seen, sep,
  url: import.meta.url, dirname: import.meta.dirname, filename: import.meta.filename, entry: import.meta.main,
  sibling: import.meta.resolve('./lib/data.json'), pkg: import.meta.resolve('early'),
}));`,
    'src/lib/other.ts': `
export const seen = { url: import.meta.url, dirname: import.meta['dirname'], main: import.meta.main,
  meta: Object.keys(import.meta).sort() };`,
    ...EARLY,
  };

  test.each([
    ['by "type"', MODULE],
    ['by its syntax', { 'package.json': '{}' }],
  ])('%s sees its sources, and its packages see argv[1] from the start', async (_, manifest) => {
    const bench = entryBench('src/server.ts', { ...files, ...manifest });
    const entry = join(bench.root, 'src/server.ts');
    const other = join(bench.root, 'src/lib/other.ts');
    expect(await bench.see()).toEqual({
      early: entry,
      main: true,
      argv: [entry, 'one', '--two'],
      sep: '/',
      url: pathToFileURL(entry).href,
      dirname: join(bench.root, 'src'),
      filename: entry,
      entry: true,
      sibling: pathToFileURL(join(bench.root, 'src/lib/data.json')).href,
      pkg: pathToFileURL(join(bench.root, 'node_modules/early/index.cjs')).href,
      seen: {
        url: pathToFileURL(other).href,
        dirname: join(bench.root, 'src/lib'),
        main: false,
        meta: ['dirname', 'filename', 'main', 'resolve', 'url'],
      },
    });
  });

  test('may declare the names of CommonJS itself', async () => {
    const bench = entryBench('server.mts', {
      'server.mts': `
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { folder } from './lib/b.mts';
const require = createRequire(import.meta.url);
const __filename = fileURLToPath(import.meta.url);
const __dirname = dirname(__filename);
const early: string = require('early');
console.log(JSON.stringify({ __dirname, __filename, data: require('./data.json'), early: early === __filename, folder }));`,
      'lib/b.mts': `
import { fileURLToPath } from 'node:url';
const __dirname = fileURLToPath(new URL('.', import.meta.url));
export const folder = __dirname;`,
      'data.json': '{ "n": 1 }',
      ...EARLY,
    });
    expect(await bench.see()).toEqual({
      __dirname: bench.root,
      __filename: join(bench.root, 'server.mts'),
      data: { n: 1 },
      early: true,
      folder: join(bench.root, 'lib/'),
    });
  });

  test('in a file with a name that is no URL as it stands', async () => {
    const bench = entryBench('a b#ü%20".mts', {
      'a b#ü%20".mts': `console.log(JSON.stringify([import.meta.url, process.argv[1], import.meta.filename]));`,
    });
    const entry = join(bench.root, 'a b#ü%20".mts');
    expect(await bench.see()).toEqual([pathToFileURL(entry).href, entry, entry]);
  });
});

describe('a CommonJS program', () => {
  test.each([
    ['server.cts', { 'package.json': '{ "type": "module" }' }],
    ['server.ts', COMMONJS],
    ['server.ts', { 'package.json': '{}' }],
  ])('%s sees its sources (%o)', async (name, manifest) => {
    const bench = entryBench(name, {
      [name]: `#!/usr/bin/env node
'use strict';
const early: string = require('early');
const { folder } = require('./lib/other.cjs');
const strict = (function (this: unknown) { return this === undefined; })();
const data = './data.json';
const values = { early, folder, __dirname, __filename, strict, main: require.main === module,
  mainFile: require.main!.filename, data: require(data), where: require.resolve('./data.json') };
if (require.main === module) console.log(JSON.stringify(values));
module.exports = values;`,
      'lib/other.cjs': `exports.folder = __dirname; exports.main = require.main === module;`,
      'data.json': '{ "n": 1 }',
      ...EARLY,
      ...manifest,
    });
    const entry = join(bench.root, name);
    expect(await bench.see()).toEqual({
      early: entry,
      folder: join(bench.root, 'lib'),
      __dirname: bench.root,
      __filename: entry,
      strict: true,
      main: true,
      mainFile: entry,
      data: { n: 1 },
      where: join(bench.root, 'data.json'),
    });
  });

  test.each([
    ['require.main', `if (require.main === module) print();`],
    ['module.exports', `print(); module.exports = {};`],
    ['exports', `print(); exports.x = 1;`],
  ])('is what imports by ESM syntax and uses %s', async (_, use) => {
    const bench = entryBench('server.ts', {
      'server.ts': `import early from 'early'; function print() { console.log(JSON.stringify([early, typeof module])); } ${use}`,
      ...EARLY,
    });
    expect(await bench.see()).toEqual([join(bench.root, 'server.ts'), 'object']);
    expect(bench.builder.args.at(-1)).toMatch(/\.cjs$/);
  });

  test('is what exports by ESM syntax and asks for require.main', async () => {
    const bench = entryBench('server.ts', {
      'server.ts': `export const n: number = 2; if (require.main === module) console.log(n);`,
    });
    expect(await bench.see()).toBe(2);
  });

  test('has an import.meta where it is bundled with ESM sources', async () => {
    const bench = entryBench('server.cts', {
      'server.cts': `import { url, main } from './lib.mts'; console.log(JSON.stringify({ url, main }));`,
      'lib.mts': `export const { url, main } = import.meta;`,
    });
    expect(await bench.see()).toEqual({ url: pathToFileURL(join(bench.root, 'lib.mts')).href, main: false });
  });

  test('a comment or a string that names them makes no CommonJS', async () => {
    const bench = entryBench('server.ts', {
      'server.ts': `// require.main, module.exports = exports.x
export const text = 'module.exports = require.main';
console.log(JSON.stringify(typeof module), await 0 ?? '');`,
    });
    await bench.build();
    expect(bench.builder.args.at(-1)).toMatch(/\.mjs$/);
    expect((await bench.run()).stdout).toBe('"undefined" 0\n');
  });
});

describe('stack traces name the source and its line', () => {
  test.each([
    [
      'server.mts',
      `#!/usr/bin/env node\n'use strict'\nimport { fail } from './lib/fail.mts';\n\nfail(import.meta.url);\n`,
    ],
    [
      'server.cts',
      `#!/usr/bin/env node\n'use strict'\nimport { fail } from './lib/fail.mts';\n\nfail(__dirname);\n`,
    ],
  ])('%s', async (name, source) => {
    const bench = entryBench(name, {
      [name]: source,
      'lib/fail.mts': `
interface Gone { readonly inTheOutput: number }

export function fail(text: string): Gone {
  throw new Error('from ' + text + import.meta.dirname);
}`,
      'node_modules/x/package.json': '{}',
    });
    await bench.build();
    const { stderr, code } = await bench.run();
    expect(code).toBe(1);
    expect(stderr).toContain(`${join(bench.root, 'lib/fail.mts')}:5:9`);
    expect(stderr).toContain(`${join(bench.root, name)}:5:1`);
  });

  test('the running program keeps its own after another build', async () => {
    const bench = entryBench('server.mts', {
      'server.mts': `process.stdin.once('data', () => {\n  throw new Error('late');\n});\nconsole.log('ready');`,
    });
    await bench.build();
    const child = spawn(bench.builder.command, bench.builder.args, { stdio: 'pipe' });
    onTestFinished(() => void child.kill('SIGKILL'));
    const stderr = text(child.stderr);
    await once(child.stdout, 'data');
    write(bench.root, { 'server.mts': `\n\n\nconsole.log('other')` });
    await bench.build();
    child.stdin.write('go\n');
    expect(await stderr).toContain(`${join(bench.root, 'server.mts')}:2:9`);
  });
});
