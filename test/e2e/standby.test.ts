import { chmodSync, existsSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { repositoryFile } from '../kit/messages.ts';
import { alive } from '../kit/processes.ts';
import { tempProject } from '../kit/temp-project.ts';
import { until } from '../kit/wait.ts';
import { Live, PLAIN_TS, plainText, toolsText } from './live.ts';
import {
  expectTurns,
  loads,
  noStandby,
  packageText,
  placeOf,
  serverText,
  standbyOf,
  standbyUsed,
  WITH_PACKAGE,
} from './standby-kit.ts';

const NODE = ['-v', '--', 'node', 'server.mjs'];

test('a process that waited becomes the next generation, and has run nothing of the server before', async () => {
  await expectTurns(await Live.connect(WITH_PACKAGE, NODE), 'server.mjs', serverText);
});

test('with --standby off no process waits, and nothing is put into the server', async () => {
  const live = await Live.connect(WITH_PACKAGE, ['--standby', 'off', ...NODE]);
  await live.reload(2, 'server.mjs', serverText('two'));
  expect(standbyUsed(live, 2)).toBeUndefined();
});

const LOOK = `{
  argv: process.argv, execArgv: process.execArgv, cwd: process.cwd(), title: process.title,
  env: { ...process.env, MCP_DEV_GENERATION: '', MCP_DEV_GENERATION_KEY: '' },
}`;

const LOOKING_ESM = `
import { spawnSync } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import { serve } from './serve.mjs';
import 'zod';
const look = "process.stdout.write(JSON.stringify({ env: { ...process.env, MCP_DEV_GENERATION: '', MCP_DEV_GENERATION_KEY: '' }, execArgv: process.execArgv }))";
const child = spawnSync(process.execPath, ['-e', look], { encoding: 'utf8' }).stdout;
const worker = new Worker(
  "require('node:worker_threads').parentPort.postMessage({ env: process.env.NODE_OPTIONS, task: process.env.MCP_DEV_STANDBY, execArgv: process.execArgv })",
  { eval: true },
);
const inWorker = await new Promise((resolve) => worker.on('message', resolve));
const seen = { ...${LOOK}, child, inWorker, main: import.meta.main, listeners: process.eventNames(), url: import.meta.url };
serve('plain', { seen: () => JSON.stringify(seen) });
`;

const LOOKING_CJS = `
const { EventEmitter } = require('node:events');
const seen = {
  ...${LOOK}, main: require.main === module, filename: __filename, paths: module.paths,
  parent: module.children.length, strict: (function () { return this === undefined; })(),
};
import('./serve.mjs').then(({ serve }) => serve('plain', { seen: () => JSON.stringify(seen) }));
`;

test.each([
  { name: 'an ES module', program: 'server.mjs', text: LOOKING_ESM },
  { name: 'CommonJS', program: 'server.cjs', text: LOOKING_CJS },
])(
  'the server, its threads and its processes see what they would see without: $name',
  async ({ program, text }) => {
    const files = { ...WITH_PACKAGE, [program]: text };
    const args = ['-v', '--', 'node', '--no-warnings', program, '--flag', 'two words'];
    const env = { NODE_OPTIONS: '--max-old-space-size=512', SECRET: 'a "b" \\c\n' };
    const plain = await Live.connect(files, ['--standby', 'off', ...args], { env });
    const project = plain.project;
    const expected = JSON.parse((await plain.call('seen')) ?? '');
    expect(expected.env.NODE_OPTIONS).toBe('--max-old-space-size=512');
    const ignored = (seen: { env: object; child?: string }, live: Live) =>
      JSON.parse(
        JSON.stringify(seen)
          .replaceAll(live.project.folder, project.folder)
          .replaceAll(/LIVE_\w+/g, 'LIVE')
          .replaceAll(/(MCP_DEV_(?:SECRET|STATE_DIR)\\*":\\*")[\w/-]+/g, '$1'),
      );

    const live = await Live.connect(files, args, { env });
    expect(ignored(JSON.parse((await live.call('seen')) ?? ''), live)).toEqual(ignored(expected, plain));
    await standbyOf(live);
    await live.reload(2, program, `${text}\n`);
    expect(standbyUsed(live, 2)).toBeDefined();
    expect(ignored(JSON.parse((await live.call('seen')) ?? ''), live)).toEqual(ignored(expected, plain));
  },
);

test('a package that changed since it was loaded is loaded again', async () => {
  const live = await Live.connect(WITH_PACKAGE, NODE);
  const pid = await standbyOf(live);
  live.project.write('node_modules/zod/index.js', packageText('zod2'));
  await live.reload(2, 'server.mjs', serverText('two'));
  expect(standbyUsed(live, 2)).toBeUndefined();
  expect(await live.call('package')).toBe('zod2');
  await until(() => !alive(pid), 'the standby with the old package is gone');
  await standbyOf(live);
  await live.reload(3, 'server.mjs', serverText('three'));
  expect(standbyUsed(live, 3)).toBeDefined();
  expect(await live.call('package')).toBe('zod2');
});

test.each(['package-lock.json', 'tsconfig.json', '.npmrc', '.env'])(
  'a standby from before %s changed is not used',
  async (name) => {
    const live = await Live.connect({ ...WITH_PACKAGE, [name]: '{}' }, NODE);
    await standbyOf(live);
    live.project.write(name, '{ }');
    live.project.write('server.mjs', serverText('two'));
    await live.tookOver(2);
    expect(standbyUsed(live, 2)).toBeUndefined();
    await standbyOf(live);
  },
);

test('a package.json that makes an ES module of the program', async () => {
  const commonJs = `import('./serve.mjs').then(({ serve }) => serve('plain', { version: () => typeof require }));\n`;
  const live = await Live.connect(
    { ...WITH_PACKAGE, 'package.json': '{ "name": "plain" }', 'server.js': commonJs },
    ['-v', '--', 'node', 'server.js'],
  );
  expect(await live.call()).toBe('function');
  await standbyOf(live);
  await live.reload(2, 'package.json', WITH_PACKAGE['package.json']!);
  expect(await live.call()).toBe('undefined');
});

test('variables of an env file are those of the newest one', async () => {
  const live = await Live.connect({ ...WITH_PACKAGE, 'my.env': 'COLOUR=red' }, [
    '--env-file',
    'my.env',
    ...NODE,
  ]);
  await standbyOf(live);
  await live.reload(2, 'my.env', 'COLOUR=blue');
  expect(await live.call('variable', { name: 'COLOUR' })).toBe('blue');
  await standbyOf(live);
  await live.reload(3, 'server.mjs', serverText('three'));
  expect(standbyUsed(live, 3)).toBeDefined();
  expect(await live.call('variable', { name: 'COLOUR' })).toBe('blue');
});

test('variables of an env file that node reads itself, too', async () => {
  const live = await Live.connect({ ...WITH_PACKAGE, 'my.env': 'COLOUR=red' }, [
    ...['-v', '-w', '.', '-w', 'my.env', '--', 'node', '--env-file=my.env', 'server.mjs'],
  ]);
  await standbyOf(live);
  await live.reload(2, 'my.env', 'COLOUR=blue');
  expect(await live.call('variable', { name: 'COLOUR' })).toBe('blue');
});

test('a package is loaded with the variables of the server', async () => {
  const zod = packageText('', '').replace(`''`, '[process.env.COLOUR, process.env.NODE_OPTIONS].join()');
  const files = { ...WITH_PACKAGE, 'node_modules/zod/index.js': zod };
  const live = await Live.connect(files, NODE, { env: { COLOUR: 'red', NODE_OPTIONS: undefined } });
  await standbyOf(live);
  await live.reload(2, 'server.mjs', serverText('two'));
  expect(standbyUsed(live, 2)).toBeDefined();
  expect(await live.call('package')).toBe('red,');
});

test('a script with a hook has no standby, and the hook does its work at each start', async () => {
  const live = await Live.connect(
    {
      ...WITH_PACKAGE,
      'package.json': JSON.stringify({
        type: 'module',
        scripts: { prestart: 'cp source.txt server.mjs', start: 'node server.mjs' },
      }),
      'source.txt': serverText('one'),
    },
    ['-v', '--watch', 'source.txt', '--', 'npm', '-s', 'start'],
  );
  expect(await noStandby(live)).toContain('package.json has a prestart script');
  await live.reload(2, 'source.txt', serverText('two'));
  expect(await live.call()).toBe('two');
});

/** A project whose server is started by `npm run` of this script. */
function behindNpm(script: string): Promise<Live> {
  const manifest = JSON.stringify({ type: 'module', scripts: { dev: script } });
  const command = ['-v', '--', 'npm', '-s', 'run', 'dev'];
  return Live.connect({ ...WITH_PACKAGE, 'package.json': manifest }, command);
}

test('a plain npm script: its process waits behind npm', async () => {
  const live = await behindNpm('COLOUR=red node server.mjs');
  const pid = await standbyOf(live);
  await live.reload(2, 'server.mjs', serverText('two'));
  expect(standbyUsed(live, 2)).toBe(pid);
  expect(await live.call()).toBe('two');
  expect(await live.call('variable', { name: 'COLOUR' })).toBe('red');
  expect(await live.call('variable', { name: 'NODE_OPTIONS' })).toBe('undefined');
});

test('a command that takes no notice of what it was given has no standby', async () => {
  const project = tempProject({
    ...WITH_PACKAGE,
    'bin/node': '#!/bin/sh\nunset NODE_OPTIONS\nexec "$REAL_NODE" "$@"\n',
  });
  chmodSync(project.path('bin/node'), 0o755);
  const env = { REAL_NODE: process.execPath };
  const live = await Live.connectIn(project, ['-v', '--', './bin/node', 'server.mjs'], { env });
  expect(await noStandby(live)).toContain('the server did not load what it was given');
  await live.reload(2, 'server.mjs', serverText('two'));
  expect(loads(live)).toHaveLength(2);
});

test.each(['client closes', 'killed'])('the standby ends with mcp-dev: %s', async (how) => {
  const live = await Live.connect(WITH_PACKAGE, NODE);
  const pid = await standbyOf(live);
  if (how === 'killed') live.client.kill('SIGKILL');
  else await live.client.close();
  await until(() => !alive(pid), 'the standby has ended');
  await until(() => live.processes.length === 0, 'all processes have ended');
  // What a killed one leaves is removed by the next.
  if (how === 'killed') await standbyOf(await Live.connect(WITH_PACKAGE, NODE));
  expect(placeOf(live)).toBeUndefined();
});

test('--standby deps: the other packages are loaded early, too', async () => {
  const other = {
    'node_modules/other/package.json': '{ "name": "other", "type": "module", "exports": "./index.js" }',
    'node_modules/other/index.js': `export const inGeneration = process.env.MCP_DEV_GENERATION;
import { appendFileSync } from 'node:fs';
appendFileSync('early.txt', process.pid + '\\n');`,
  };
  const files = { ...WITH_PACKAGE, ...other, 'server.mjs': serverText('one', `import 'other';`) };
  const live = await Live.connect(files, ['--standby', 'deps', ...NODE]);
  const pid = await standbyOf(live);
  expect(readFileSync(live.project.path('early.txt'), 'utf8')).toContain(`${pid}\n`);
  await live.reload(2, 'server.mjs', serverText('two', `import 'other';`));
  expect(standbyUsed(live, 2)).toBe(pid);
  expect(readFileSync(live.project.path('early.txt'), 'utf8').trim().split('\n')).toHaveLength(2);
});

test('files that were made, edited and made again while it waited are the new ones', async () => {
  const imports = `import { a } from './a.mjs';\nimport { b } from './b.mjs';\n`;
  const live = await Live.connect(
    { ...WITH_PACKAGE, 'a.mjs': `export const a = 1;`, 'server.mjs': serverText('one', `import './a.mjs';`) },
    [...['-w', 'server.mjs'], ...NODE],
  );
  const pid = await standbyOf(live);
  live.project.remove('a.mjs');
  live.project.write('a.mjs', 'export const a = 2;');
  live.project.write('b.mjs', 'export const b = 2;');
  await live.reload(2, 'server.mjs', serverText(`' + [a, b] + '`, imports));
  expect(standbyUsed(live, 2)).toBe(pid);
  expect(await live.call()).toBe('2,2');
});

test('what waits behind npm ends with a killed mcp-dev, too', async () => {
  const live = await behindNpm('node server.mjs');
  await standbyOf(live);
  live.client.kill('SIGKILL');
  await until(() => live.processes.length === 0, 'all processes have ended');
});

test('with --exclusive the standby goes on when the old one has ended', async () => {
  const live = await Live.connect(WITH_PACKAGE, ['--exclusive', 'on', ...NODE]);
  const pid = await standbyOf(live);
  await live.reload(2, 'server.mjs', serverText('two'));
  expect(standbyUsed(live, 2)).toBe(pid);
  expect(await live.call()).toBe('two');
});

test('a save while the standby still loads does not wait for it', async () => {
  // The first process that is to be the second generation loads until the gate opens; that is the standby.
  const zod = packageText(
    'zod1',
    `import { existsSync, writeFileSync } from 'node:fs';
if (process.env.MCP_DEV_GENERATION === '2' && !existsSync('loading')) {
  writeFileSync('loading', '');
  while (existsSync('gate')) await new Promise((resolve) => setTimeout(resolve, 20));
}`,
  );
  const live = await Live.connect({ ...WITH_PACKAGE, gate: '', 'node_modules/zod/index.js': zod }, NODE);
  await until(() => existsSync(live.project.path('loading')), 'the standby loads');
  await live.reload(2, 'server.mjs', serverText('two'));
  expect(standbyUsed(live, 2)).toBeUndefined();
  live.project.remove('gate');
  const pid = await standbyOf(live);
  await live.reload(3, 'server.mjs', serverText('three'));
  expect(standbyUsed(live, 3)).toBe(pid);
  expect(await live.call()).toBe('three');
});

test('a package that breaks when it is loaded leaves the server alone', async () => {
  const live = await Live.connect(WITH_PACKAGE, NODE);
  await standbyOf(live);
  live.project.write('node_modules/zod/index.js', packageText('', `throw new Error('broken package');`));
  live.project.write('server.mjs', serverText('two'));
  await live.client.stderrLine(/generation 2 ended before it had answered the handshake/);
  expect(await live.call()).toBe('one');
  live.project.write('node_modules/zod/index.js', packageText('zod3'));
  await live.reload(3, 'server.mjs', serverText('three'));
  expect(await live.call('package')).toBe('zod3');
});

test('a save that does not start, by a standby: the old generation goes on, and it heals', async () => {
  const live = await Live.connect(WITH_PACKAGE, NODE);
  const pid = await standbyOf(live);
  live.project.write('server.mjs', serverText('two', `throw new Error('no key');`));
  await live.client.stderrLine(/generation 2 ended before it had answered the handshake \(exit code 1\)/);
  expect(standbyUsed(live, 2)).toBe(pid);
  await live.client.stderrLine(/Error: no key/);
  expect(await live.call()).toBe('one');
  await live.reload(3, 'server.mjs', serverText('three'));
  expect(await live.call()).toBe('three');
});

test('the program that mcp-dev compiles: the standby waits for an output to come', async () => {
  const live = await Live.connect(PLAIN_TS, ['-v', 'server.ts']);
  for (const generation of [2, 3]) {
    const pid = await standbyOf(live);
    await live.reload(generation, 'tools.ts', toolsText(`version ${generation}`));
    expect(standbyUsed(live, generation)).toBe(pid);
    expect(await live.call()).toBe(`version ${generation}`);
  }
  // A save that does not compile uses up no name.
  const pid = await standbyOf(live);
  live.project.write('tools.ts', 'export const tools = ;');
  await live.client.stderrLine(/the build failed/);
  await live.reload(4, 'tools.ts', toolsText('healed'));
  expect(standbyUsed(live, 4)).toBe(pid);
  expect(await live.call()).toBe('healed');
});

test('a program that is replaced by another behind the same link is the new one', async () => {
  const project = tempProject({
    'package.json': '{ "type": "module" }',
    'save.js': '0',
    'a/server.mjs': plainText('a'),
    'b/server.mjs': plainText('b'),
  });
  symlinkSync('a', project.path('current'));
  const live = await Live.connectIn(project, ['-v', '-w', 'save.js', '--', 'node', 'current/server.mjs']);
  await standbyOf(live);
  symlinkSync('b', live.project.path('next'));
  renameSync(live.project.path('next'), live.project.path('current'));
  await live.reload(2, 'save.js', '1');
  expect(await live.call()).toBe('b');
});

test.each([
  { name: 'node --import tsx', command: ['node', '--import', 'tsx', 'server.ts'], type: 'module' },
  { name: 'tsx', command: ['node_modules/.bin/tsx', 'server.ts'], type: 'module' },
  { name: 'npx tsx', command: ['npx', 'tsx', 'server.ts'], type: 'module' },
  { name: 'npx tsx, CommonJS', command: ['npx', 'tsx', 'server.ts'], type: 'commonjs' },
])('$name: its process waits with the packages loaded', async ({ command, type }) => {
  const text = (version: string): string => `
import { appendFileSync } from 'node:fs';
import * as zod from 'zod';
enum Version { Now = '${version}' }
appendFileSync('loads.txt', process.pid + '\\n');
const tools = { version: (): string => [Version.Now, zod.version].join(), options: () => process.env.NODE_OPTIONS };
import('./serve.mjs').then(({ serve }) => serve('plain', tools));
`;
  const project = tempProject({
    ...WITH_PACKAGE,
    'package.json': JSON.stringify({ name: 'plain', type }),
    'server.ts': text('one'),
    'node_modules/zod/package.json': JSON.stringify({
      name: 'zod',
      exports: { import: './index.mjs', require: './index.cjs' },
    }),
    'node_modules/zod/index.mjs': packageText('imported'),
    'node_modules/zod/index.cjs': `exports.version = 'required';`,
    'node_modules/.bin/here': '',
  });
  symlinkSync(repositoryFile('node_modules/tsx'), project.path('node_modules/tsx'));
  symlinkSync('../tsx/dist/cli.mjs', project.path('node_modules/.bin/tsx'));
  const live = await Live.connectIn(project, ['-v', '--', ...command]);
  const way = type === 'module' ? 'imported' : 'required';
  expect(await live.call()).toBe(`one,${way}`);
  const pid = await standbyOf(live);
  expect(loads(live)).not.toContain(pid);
  await live.reload(2, 'server.ts', text('two'));
  expect(standbyUsed(live, 2)).toBe(pid);
  expect(await live.call()).toBe(`two,${way}`);
  expect(await live.call('options')).toBe('undefined');
  expect(loads(live)).toHaveLength(2);
});
