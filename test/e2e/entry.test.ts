import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { repositoryFile } from '../kit/messages.ts';
import { type TempProject, tempProject } from '../kit/temp-project.ts';
import { Live, PLAIN_JS, PLAIN_TS, plainText, toolsText } from './live.ts';

/** A program that reads something by every way that there is. */
function wideProject(): TempProject {
  const project = tempProject({
    ...PLAIN_TS,
    'package.json': '{ "name": "wide", "type": "module", "workspaces": ["packages/*"] }',
    'tsconfig.json': '{ "extends": "./tsconfig.base.json" }',
    'tsconfig.base.json': '{ "compilerOptions": { "paths": { "@lib/*": ["./lib/*.ts"] } } }',
    'server.ts': `
import shared from 'shared';
import { lib } from '@lib/greeting';
import { serve } from './serve.mjs';
import data from './data.json' with { type: 'json' };
import { tools } from './tools.ts';
serve('wide', { ...tools, all: () => [data.text, lib, shared].join(' ') });
`,
    'data.json': '{ "text": "data1" }',
    'lib/greeting.ts': `export const lib = 'lib1';`,
    'packages/shared/package.json': '{ "name": "shared", "exports": "./src/index.ts" }',
    'packages/shared/src/index.ts': `export { default } from './text.ts';`,
    'packages/shared/src/text.ts': `export default 'shared1';`,
    // Beside what is read, and like it in every way.
    'tools2.ts': '',
    'data2.json': '',
    'lib/unread.ts': '',
    'packages/shared/src/unread.ts': '',
  });
  mkdirSync(project.path('node_modules'));
  symlinkSync('../packages/shared', project.path('node_modules/shared'));
  return project;
}

test('a change of any file that was read swaps, and of none that was not', async () => {
  const live = await Live.connectIn(wideProject(), ['server.ts']);
  expect(await live.call('all')).toBe('data1 lib1 shared1');
  const saves: [read: string, text: string, unread: string, all: string][] = [
    ['data.json', '{ "text": "data2" }', 'data2.json', 'data2 lib1 shared1'],
    ['lib/greeting.ts', `export const lib = 'lib2';`, 'lib/unread.ts', 'data2 lib2 shared1'],
    [
      'packages/shared/src/text.ts',
      `export default 'shared2';`,
      'packages/shared/src/unread.ts',
      'data2 lib2 shared2',
    ],
    ['tools.ts', toolsText('two'), 'tools2.ts', 'data2 lib2 shared2'],
  ];
  for (const [at, [read, text, unread, all]] of saves.entries()) {
    live.project.write(unread, `// ${at}`);
    await live.reload(at + 2, read, text);
    expect(await live.call('all')).toBe(all);
  }
  live.project.write(
    'tsconfig.base.json',
    '{ "compilerOptions": { "paths": { "@lib/*": ["./other/*.ts", "./lib/*.ts"] } } }',
  );
  expect(await live.tookOver(6)).toContain('(tsconfig.base.json;');
  expect(live.triggers).toHaveLength(5);
});

test('what a new import reads is watched at once', async () => {
  const live = await Live.connect({ ...PLAIN_TS, 'late.ts': toolsText('late1') }, ['server.ts']);
  live.project.write('late.ts', toolsText('late2'));
  await live.reload(2, 'tools.ts', `export { tools } from './late.ts';`);
  expect(await live.call()).toBe('late2');
  await live.reload(3, 'late.ts', toolsText('late3'));
  expect(await live.call()).toBe('late3');
});

test('what is not imported any more is not watched any more', async () => {
  const live = await Live.connect({ ...PLAIN_TS, 'late.ts': toolsText('late1') }, ['server.ts']);
  await live.reload(2, 'server.ts', PLAIN_TS['server.ts']!.replace('./tools.ts', './late.ts'));
  live.project.write('tools.ts', toolsText('two'));
  await live.reload(3, 'late.ts', toolsText('late2'));
  expect(await live.call()).toBe('late2');
});

test('an import that leads nowhere is told, and heals when the file is made, in a folder of its own too', async () => {
  const live = await Live.connect(PLAIN_TS, ['server.ts']);
  live.project.write('tools.ts', `export { tools } from './deep/er/tools.ts';`);
  await live.client.stderrLine(
    /the build failed \(1 error\) \(tools\.ts\); generation 1 goes on with the code before/,
  );
  await live.client.stderrLine(/Could not resolve "\.\/deep\/er\/tools\.ts"/);
  expect(await live.call()).toBe('one');
  await live.reload(2, 'deep/er/tools.ts', toolsText('made'));
  expect(await live.call()).toBe('made');
});

test('a syntax error leaves the old one serving and shows where it is; mending it is served', async () => {
  const live = await Live.connect(PLAIN_TS, ['server.ts']);
  live.project.write('tools.ts', `export const tools = {\n  version: () => ,\n};\n`);
  await live.client.stderrLine(/^ +tools\.ts:2:17:$/);
  await live.client.stderrLine(/version: \(\) => ,/);
  expect(await live.call()).toBe('one');
  await live.reload(2, 'tools.ts', toolsText('two'));
  expect(await live.call()).toBe('two');
});

test('the program sees its source and its arguments', async () => {
  const tool = `{ seen: () => JSON.stringify({
    url: import.meta.url, dirname: __dirname, filename: import.meta.filename, argv: process.argv.slice(1), cwd: process.cwd(),
  }) }`;
  const live = await Live.connect(
    {
      ...PLAIN_TS,
      'src/server.ts': `import { serve } from '../serve.mjs';\nserve('plain', ${tool});\n`,
      'else/x': '',
    },
    ['../src/server.ts', '--', '--port', '3000', '--watch', '--', 'server.ts'],
    { cwd: 'else' },
  );
  const file = live.project.path('src/server.ts');
  expect(JSON.parse((await live.call('seen')) ?? '')).toEqual({
    url: pathToFileURL(file).href,
    dirname: live.project.path('src'),
    filename: file,
    argv: [file, '--port', '3000', '--watch', '--', 'server.ts'],
    cwd: live.project.path('else'),
  });
});

test('a stack trace names the line of the source', async () => {
  const tools = `
interface Unused { readonly nothing: string }
export const tools = {
  stack: (): string => {
    return new Error('here').stack ?? '';
  },
};
`;
  const live = await Live.connect({ ...PLAIN_TS, 'tools.ts': tools }, ['server.ts']);
  expect(await live.call('stack')).toContain(`${live.project.path('tools.ts')}:5:12`);
  live.project.write('tools.ts', `${tools}\n\nthrow new Error('at the start');\n`);
  await live.client.stderrLine(/generation 2 ended before it had answered the handshake \(exit code 1\)/);
  await live.client.stderrLine(/tools\.ts:10(:\d+)?\)?$/);
  expect(await live.call('stack')).toContain('here');
});

test('--watch adds to what was read', async () => {
  const files = {
    ...PLAIN_TS,
    'prompts/a.txt': '1',
    'texts/a.md': '1',
    'texts/a.txt': '1',
    'notes.txt': '1',
  };
  const live = await Live.connect(files, ['-w', 'prompts/*.txt', '--watch', 'texts', 'server.ts']);
  live.project.write('notes.txt', '2');
  live.project.write('texts/a.txt', '2');
  await live.reload(2, 'prompts/a.txt', '2');
  await live.reload(3, 'texts/a.md', '2');
  await live.reload(4, 'tools.ts', toolsText('two'));
  expect(live.triggers).toHaveLength(3);
});

test('a first start that does not compile: the client is answered and told why, and it heals', async () => {
  const live = Live.start({ ...PLAIN_TS, 'tools.ts': 'export const tools = ;' }, ['server.ts']);
  const answer = await live.client.initialize();
  expect(answer).toMatchObject({ protocolVersion: '2025-06-18', serverInfo: { name: 'plain' } });
  for (const words of ['the build failed', 'tools.ts:1:21', 'Unexpected ";"'])
    expect(answer.instructions).toContain(words);
  expect(await live.tools()).toEqual([]);
  expect(await live.client.callTool('version')).toMatchObject({
    isError: true,
    _meta: { 'mcp-dev': { reason: 'build_failed', mayHaveExecuted: false, retryable: true } },
  });
  live.project.write('tools.ts', toolsText('healed'));
  await live.client.next('notifications/tools/list_changed');
  expect(await live.tools()).toEqual(['version']);
  expect(await live.call()).toBe('healed');
});

test('a first start that throws: the same', async () => {
  const live = Live.start({ ...PLAIN_TS, 'tools.ts': `throw new Error('no key');` }, ['server.ts']);
  const answer = await live.client.initialize();
  expect(answer.instructions).toMatch(
    /ended before it had answered the handshake \(exit code 1\)[\s\S]*Error: no key/,
  );
  expect(await live.tools()).toEqual([]);
  live.project.write('tools.ts', toolsText('healed'));
  await live.client.next('notifications/tools/list_changed');
  expect(await live.call()).toBe('healed');
});

test('a JavaScript entry: the whole project is watched', async () => {
  const live = await Live.connect(PLAIN_JS, ['server.mjs']);
  await live.reload(2, 'server.mjs', plainText('two'));
  expect(await live.call()).toBe('two');
  await live.reload(3, 'sql/query.sql', 'select 1');
});

test('an entry that is removed and made again', async () => {
  const live = await Live.connect(PLAIN_TS, ['server.ts']);
  live.project.remove('server.ts');
  await live.client.stderrLine(/the build failed .*generation 1 goes on/);
  expect(await live.call()).toBe('one');
  live.project.write('server.ts', PLAIN_TS['server.ts']!);
  await live.tookOver(2);
  expect(await live.call()).toBe('one');
});

const PYTHON = Object.fromEntries(
  ['server.py', 'tools.py'].map((name) => [
    name,
    readFileSync(repositoryFile(`fixtures/python-stdlib/${name}`), 'utf8'),
  ]),
);

/** Puts another version into tools.py; its size and its time of modification stay what they are. */
function savePythonVersion(project: TempProject, version: string): void {
  const text = PYTHON['tools.py']!.replace('VERSION = "1"', `VERSION = "${version}"`);
  const path = project.write('tools.py.saving', text);
  utimesSync(path, 1_700_000_000, 1_700_000_000);
  renameSync(path, project.path('tools.py'));
}

test.each([
  { name: 'new code is served though Python has a cache for a file like it', args: [], version: '2' },
  { name: 'with --no-clear it is not', args: ['--no-clear'], version: '1' },
])('a Python entry: $name', async ({ args, version }) => {
  const project = tempProject(PYTHON);
  savePythonVersion(project, '1');
  const env = { PYTHONDONTWRITEBYTECODE: undefined, PYTHONPYCACHEPREFIX: undefined };
  const live = await Live.connectIn(project, [...args, 'server.py'], { env });
  await live.reload(2, 'server.py', `${PYTHON['server.py']}\n# saved\n`);
  expect(await live.call()).toBe('1');
  expect(readdirSync(project.path('__pycache__'))).toHaveLength(1);
  savePythonVersion(project, '2');
  await live.tookOver(3);
  expect(await live.call()).toBe(version);
  expect(live.triggers).toEqual(['server.py', 'tools.py']);
});

test('the cache of Python goes at each reload, whatever was saved', async () => {
  const live = await Live.connect({ ...PLAIN_JS, 'tool.py': '1' }, ['server.mjs']);
  const cached = live.project.write('__pycache__/tool.pyc', '');
  await live.reload(2, 'tool.py', '2');
  expect(existsSync(cached)).toBe(false);

  live.project.write('__pycache__/tool.pyc', '');
  await live.reload(3, 'server.mjs', plainText('two'));
  // Nobody waits for it.
  await expect.poll(() => existsSync(cached)).toBe(false);

  // Nobody says what changed.
  live.project.write('__pycache__/tool.pyc', '');
  live.client.kill('SIGUSR2');
  await live.tookOver(4);
  expect(existsSync(cached)).toBe(false);
});
