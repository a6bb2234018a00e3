import { symlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { boundaryPackages } from '../../src/standby/boundary.ts';
import { tempProject } from '../kit/temp-project.ts';

/** A package with a file for each of node's two ways to load it. */
function dual(name: string): Readonly<Record<string, string>> {
  const exports = { '.': { import: './index.mjs', require: './index.cjs' }, './more': './more.cjs' };
  return {
    [`node_modules/${name}/package.json`]: JSON.stringify({ name, exports }),
    [`node_modules/${name}/index.mjs`]: `throw new Error('only looked at');`,
    [`node_modules/${name}/index.cjs`]: `throw new Error('only looked at');`,
    [`node_modules/${name}/more.cjs`]: `throw new Error('only looked at');`,
  };
}

const PACKAGES = { ...dual('zod'), ...dual('@modelcontextprotocol/sdk'), ...dual('other') };

async function boundary(
  files: Readonly<Record<string, string>>,
  entry: string,
  mode: 'safe' | 'deps' = 'deps',
  loader: 'node' | 'tsx' = 'node',
): Promise<string[]> {
  const project = tempProject({ ...PACKAGES, ...files });
  const { pure, others } = await boundaryPackages(project.path(entry), mode, loader);
  return [...pure, ...others]
    .map(({ way, path }) => `${way} ${path.replace(`${project.folder}/node_modules/`, '')}`)
    .sort();
}

const IMPORTS = `import 'node:fs';\nimport 'fs';\nimport './part.mjs';\nimport { z } from 'zod';\nconsole.log(z);`;

test('what the program and its own files import, and nothing that comes later', async () => {
  const part = `import more from 'other/more'; import sdk from '@modelcontextprotocol/sdk'; import('missing');
export default () => import('other');`;
  expect(await boundary({ 'server.mjs': IMPORTS, 'part.mjs': part }, 'server.mjs')).toEqual([
    'import @modelcontextprotocol/sdk/index.mjs',
    'import other/more.cjs',
    'import zod/index.mjs',
  ]);
});

test('safe: only packages that are known to define things and do nothing', async () => {
  const part = `import 'other'; import '@modelcontextprotocol/sdk';`;
  expect(await boundary({ 'server.mjs': IMPORTS, 'part.mjs': part }, 'server.mjs', 'safe')).toEqual([
    'import @modelcontextprotocol/sdk/index.mjs',
    'import zod/index.mjs',
  ]);
});

test('a program in CommonJS requires them', async () => {
  const text = `const { z } = require('zod'); require('./part.cjs');`;
  expect(await boundary({ 'server.cjs': text, 'part.cjs': `require('other');` }, 'server.cjs')).toEqual([
    'require other/index.cjs',
    'require zod/index.cjs',
  ]);
});

test.each([
  ['server.ts', 'module', 'import zod/index.mjs'],
  ['server.ts', 'commonjs', 'require zod/index.cjs'],
  ['server.mts', 'commonjs', 'import zod/index.mjs'],
  ['server.cts', 'module', 'require zod/index.cjs'],
])('tsx loads what %s of a %s package imports by: %s', async (name, type, expected) => {
  const text = `import { z } from 'zod';\nimport type { Other } from 'other';\nexport const a: Other = z;`;
  const files = { 'package.json': JSON.stringify({ type }), [name]: text };
  expect(await boundary(files, name, 'deps', 'tsx')).toEqual([expected]);
});

test.each(['@opentelemetry/sdk-node', 'dd-trace', '@sentry/node', 'newrelic', 'import-in-the-middle'])(
  'a program with %s: nothing may be loaded before it',
  async (name) => {
    const text = `import '${name}';\nimport 'zod';`;
    expect(await boundary({ ...dual(name), 'server.mjs': text }, 'server.mjs')).toEqual([]);
    expect(await boundary({ ...dual(name), 'server.mjs': text }, 'server.mjs', 'safe')).toEqual([]);
  },
);

test('a package of the workspace is the own code of the project', async () => {
  const project = tempProject({
    ...PACKAGES,
    'server.mjs': `import 'shared';`,
    'packages/shared/package.json': '{ "name": "shared", "exports": "./index.js", "type": "module" }',
    'packages/shared/index.js': `import 'zod';`,
  });
  symlinkSync('../packages/shared', project.path('node_modules/shared'));
  expect(await boundaryPackages(project.path('server.mjs'), 'deps', 'node')).toEqual({
    pure: [{ way: 'import', path: project.path('node_modules/zod/index.mjs') }],
    others: [],
  });
});

test('of a program with an error nothing is known', async () => {
  expect(await boundary({ 'server.mjs': `import 'zod';\nimport {` }, 'server.mjs')).toEqual([]);
});
