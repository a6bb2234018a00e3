import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { type JsonObject, repositoryFile } from '../kit/messages.ts';
import { type TempProject, tempProject } from '../kit/temp-project.ts';
import { Live } from './live.ts';
import { loads, noStandby, serverText, standbyOf, standbyUsed, WITH_PACKAGE } from './standby-kit.ts';

/** A package by the name of the SDK: each line that a server of it gets is added to `rehearsed.txt`. */
function sdkText(connect: string): string {
  return `
import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

export class StdioServerTransport {
  constructor(input = process.stdin, output = process.stdout) {
    this.input = input;
    this.output = output;
  }
}

export class Server {
  async connect({ input, output }) {
    ${connect}
  }
  async close() {}
}
`;
}

const ANSWERING = `
createInterface({ input }).on('line', (line) => {
  const { id, method } = JSON.parse(line);
  appendFileSync('rehearsed.txt', [process.pid, method, input === process.stdin, id].join(' ') + '\\n');
  if (id !== undefined) output.write(JSON.stringify({ jsonrpc: '2.0', id, result: {} }) + '\\n');
});
`;

function withSdk(connect: string) {
  return {
    ...WITH_PACKAGE,
    'server.mjs': serverText('one', `import '@modelcontextprotocol/sdk';`),
    'node_modules/@modelcontextprotocol/sdk/package.json': '{ "type": "module", "exports": "./index.js" }',
    'node_modules/@modelcontextprotocol/sdk/index.js': sdkText(connect),
  };
}

const NODE = ['-v', '--', 'node', 'server.mjs'];

test('before its turn a process has let the SDK serve a client, with nothing of the project', async () => {
  const live = await Live.connect(withSdk(ANSWERING), NODE);
  const pid = await standbyOf(live);
  expect(readFileSync(live.project.path('rehearsed.txt'), 'utf8').trim().split('\n')).toEqual([
    `${pid} initialize false 0`,
    `${pid} notifications/initialized false `,
    `${pid} tools/list false 1`,
    `${pid} tools/call false 2`,
  ]);
  expect(loads(live)).not.toContain(pid);
  await live.reload(2, 'server.mjs', serverText('two', `import '@modelcontextprotocol/sdk';`));
  expect(standbyUsed(live, 2)).toBe(pid);
  expect(await live.call()).toBe('two');
});

test('a package that changes the SDK has seen nothing of it: with --standby deps it is loaded later', async () => {
  const patch = `
import { appendFileSync } from 'node:fs';
import { Server } from '@modelcontextprotocol/sdk';
const { connect } = Server.prototype;
Server.prototype.connect = function (transport) {
  appendFileSync('connected.txt', process.pid + '\\n');
  return connect.call(this, transport);
};
appendFileSync('loaded.txt', process.pid + '\\n');
`;
  const imports = `import 'patch';\nimport '@modelcontextprotocol/sdk';`;
  const files = {
    ...withSdk(ANSWERING),
    'server.mjs': serverText('one', imports),
    'node_modules/patch/package.json': '{ "type": "module", "exports": "./index.js" }',
    'node_modules/patch/index.js': patch,
    'connected.txt': '',
  };
  const live = await Live.connect(files, ['--standby', 'deps', ...NODE]);
  const pid = await standbyOf(live);
  expect(readFileSync(live.project.path('loaded.txt'), 'utf8')).toContain(`${pid}\n`);
  expect(readFileSync(live.project.path('rehearsed.txt'), 'utf8')).toContain(`${pid} initialize`);
  expect(readFileSync(live.project.path('connected.txt'), 'utf8')).toBe('');
});

test.each([
  { what: 'refuses', connect: `throw new Error('no such transport');`, reason: 'no such transport' },
  { what: 'does not answer', connect: '', reason: 'it ended before its turn' },
])('an SDK that $what is left alone, and there is no standby', async ({ connect, reason }) => {
  const live = await Live.connect(withSdk(connect), NODE);
  expect(await noStandby(live)).toContain(reason);
  await live.reload(2, 'server.mjs', serverText('two', `import '@modelcontextprotocol/sdk';`));
  expect(standbyUsed(live, 2)).toBeUndefined();
  expect(await live.call()).toBe('two');
});

const LOOK = `const look = () => JSON.stringify({
  events: process.eventNames(),
  stdin: process.stdin.eventNames(),
  stdout: process.stdout.eventNames(),
  resources: process.getActiveResourcesInfo().sort(),
  globals: Object.keys(globalThis),
});
`;
const TOOL = `({ text }) => ({ content: [{ type: 'text', text: text === 'look' ? look() : text }] })`;

const FIRST_SDK = `
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { z } from 'zod';
${LOOK}
const server = new McpServer({ name: 'real', version: '1.0.0' });
server.registerTool('version', { inputSchema: { text: z.string() } }, ${TOOL});
server.connect(new StdioServerTransport());
`;

const SECOND_SDK = `
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';
${LOOK}
serveStdio(() => {
  const server = new McpServer({ name: 'real', version: '1.0.0' });
  server.registerTool('version', { inputSchema: z.object({ text: z.string() }) }, ${TOOL});
  return server;
});
`;

function withPackages(program: string, text: string): TempProject {
  const project = tempProject({ 'package.json': '{ "name": "real" }', [program]: text });
  for (const name of ['@modelcontextprotocol/sdk', '@modelcontextprotocol/server', 'zod']) {
    const link = project.path(`node_modules/${name}`);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(repositoryFile(`node_modules/${name}`), link);
  }
  return project;
}

/** The same program with `require`. */
function inCommonJs(text: string): string {
  return text.replaceAll(/import (\{.*\}) from ('.*');/g, 'const $1 = require($2);');
}

test.each([
  { sdk: 'first', kind: 'ES modules', program: 'server.mjs', text: FIRST_SDK },
  { sdk: 'first', kind: 'CommonJS', program: 'server.cjs', text: inCommonJs(FIRST_SDK) },
  { sdk: 'second', kind: 'ES modules', program: 'server.mjs', text: SECOND_SDK },
  { sdk: 'second', kind: 'CommonJS', program: 'server.cjs', text: inCommonJs(SECOND_SDK) },
])('a server of the $sdk SDK in $kind is and says the same after it', async ({ program, text }) => {
  const live = await Live.connectIn(withPackages(program, text), ['-v', '--', 'node', program]);
  const said = async (): Promise<readonly JsonObject[]> => [
    await live.client.result('tools/list'),
    await live.client.callTool('version', { text: 'look' }),
    await live.client.callTool('version', { text: 1 }),
  ];
  const expected = await said();
  await standbyOf(live);
  await live.reload(2, program, `${text}\n`);
  expect(standbyUsed(live, 2)).toBeDefined();
  expect(await said()).toEqual(expected);
});
