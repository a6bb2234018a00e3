import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type JsonObject, textOf } from '../kit/messages.ts';
import { RawClient } from '../kit/raw-client.ts';
import { tempProject } from '../kit/temp-project.ts';
import { until } from '../kit/wait.ts';
import { Dev, GATED_BUILD } from './dev.ts';
import { CLIENTS, type ClientName, eraProject, OWN_TOOLS, type ServerName, versionText } from './eras.ts';
import { Live, PLAIN_JS, PLAIN_TS, plainText, toolsText } from './live.ts';
import { type OfficialClient, throughMcpDev } from './official-client.ts';

const NAMES = ['mcp_dev_status', 'mcp_dev_reload', 'mcp_dev_logs', 'mcp_dev_call'];
const SERVER = ['--', process.execPath, 'server.mjs'];

const PAIRS: readonly (readonly [ClientName, ServerName])[] = [
  ['SDK 1', 'SDK 1'],
  ['SDK 2 legacy', 'SDK 2'],
  ['SDK 2 auto', 'SDK 2'],
  ['SDK 2 pinned', 'SDK 2 modern only'],
];

function names(tools: readonly { readonly name: string }[]): string[] {
  return tools.map(({ name }) => name);
}

describe.each(PAIRS)('the client of %s, the server of %s', (client, server) => {
  const connect = async (args: readonly string[] = []) => {
    const project = eraProject(server);
    const sdk: OfficialClient = await CLIENTS[client](throughMcpDev(project, [...args, ...SERVER]));
    return { project, sdk };
  };

  test('our tools follow those of the server, and say what they are', async () => {
    const { sdk } = await connect();
    const tools = await sdk.listed();
    expect(names(tools)).toEqual([...OWN_TOOLS, ...NAMES]);
    const ours = tools.slice(-NAMES.length);
    for (const tool of ours) {
      expect(tool.description).toContain('"era-project", which is under development');
      expect(tool.title).toMatch(/^mcp-dev: /);
    }
    expect(ours.map(({ annotations }) => (annotations as JsonObject).readOnlyHint)).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(ours.map(({ outputSchema }) => outputSchema !== undefined)).toEqual([true, true, true, false]);
  });

  test('a reload tells what it changed, and the state and the log tell of it', async () => {
    const { project, sdk } = await connect();
    await sdk.listed();
    project.write('version.mjs', versionText({ version: 'two', more: ['new'] }));
    const reload = await sdk.result('mcp_dev_reload', { reason: 'a new tool' });
    expect(reload.structuredContent).toMatchObject({
      server: 'era-project',
      ok: true,
      state: 'serving',
      generation: expect.any(Number),
      added: expect.arrayContaining(['tool new', 'prompt new']),
      ms: { total: expect.any(Number) },
    });
    expect(textOf(reload)).toMatch(/succeeded: generation \d+ .*\nDifferences: \+tool new/);
    expect(await sdk.call('new')).toBe('new @two');

    const status = await sdk.result('mcp_dev_status');
    expect(status.structuredContent).toMatchObject({
      state: 'serving',
      era: sdk.era,
      watched: [project.folder],
      reloads: [
        { ok: true, trigger: { kind: 'first-start' } },
        { ok: true, added: expect.arrayContaining(['tool new']) },
      ],
    });
    expect(textOf(status)).toMatch(/is serving, with the newest source\ngeneration \d+, pid \d+, up /);

    const logs = await sdk.result('mcp_dev_logs', { source: 'mcp-dev', lines: 1 });
    expect(logs.structuredContent?.lines).toMatchObject([
      { text: expect.stringMatching(/^generation \d+ took over/) },
    ]);
    expect(textOf(logs)).toMatch(/\[mcp-dev\] generation \d+ took over/);
  });

  test('a start that fails is told with what the server said last, and the code before serves', async () => {
    const { project, sdk } = await connect();
    await sdk.listed();
    project.write('version.mjs', 'throw new Error("no such table");\n');
    const reload = await sdk.result('mcp_dev_reload');
    expect(reload.isError).toBe(true);
    expect(reload.structuredContent).toMatchObject({
      ok: false,
      state: 'stale',
      generation: 1,
      error: { reason: 'start_failed', text: expect.stringContaining('no such table') },
    });
    expect(textOf(reload)).toMatch(/Generation 1 goes on .*\n[\s\S]*no such table/);
    const status = await sdk.result('mcp_dev_status');
    expect(status.structuredContent).toMatchObject({ state: 'stale', stale: { reason: 'start_failed' } });
    expect(textOf(status)).toMatch(/is stale: [\s\S]*no such table/);
  });

  test('a tool that the client has not read is called by way of ours, with progress', async () => {
    const { project, sdk } = await connect();
    const before = await sdk.tools();
    project.write('version.mjs', versionText({ version: 'two', more: ['new'] }));
    await sdk.result('mcp_dev_reload');
    expect(before).not.toContain('new');
    expect(textOf(await sdk.result('mcp_dev_call', { tool: 'new' }))).toBe('new @two');
    const gates = tempProject();
    const onprogress = () => void gates.write('gate', '');
    const args = { tool: 'slow', arguments: { gates: [gates.path('gate')] } };
    expect(await sdk.call('mcp_dev_call', args, { onprogress })).toBe('slow @two');
    const structured = await sdk.result('mcp_dev_call', { tool: 'version' });
    expect(structured.structuredContent).toEqual({ version: 'two' });
    const unknown = await sdk.result('mcp_dev_call', { tool: 'nwe' });
    expect(unknown.isError).toBe(true);
    expect(textOf(unknown)).toMatch(/no tool "nwe" in generation \d+; the nearest of its \d+ tools: new, /);
  });

  test('a client that asks for log messages hears of reloads', async () => {
    const { project, sdk } = await connect();
    if (sdk.era === 'legacy') await sdk.setLevel('info');
    const from = sdk.notifications.all.length;
    project.write('version.mjs', versionText({ version: 'two', more: ['new'] }));
    await sdk.result('mcp_dev_reload');
    project.write('version.mjs', 'throw new Error("no such table");\n');
    await sdk.result('mcp_dev_reload');
    const said = sdk.notifications.all.slice(from).filter(({ params }) => params?.logger === 'mcp-dev');
    expect(said.map(({ params }) => params?.level)).toEqual(['info', 'error', 'warning']);
    expect(said[0]?.params?.data).toMatch(/^generation \d+ took over .*\+tool new/);
    expect(said[1]?.params?.data).toMatch(
      /generation \d+ goes on with the code before\n[\s\S]*no such table/,
    );
  });
});

/** A server of both eras with 200 tools, 50 on a page. */
const PAGED = `import { createInterface } from 'node:readline';
const serverInfo = { name: 'paged', version: '1.0.0' };
const tools = Array.from({ length: 200 }, (_, n) => ({ name: 'tool' + n, inputSchema: { type: 'object' } }));
const modern = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' };
const methods = {
  initialize: ({ protocolVersion }) => ({ protocolVersion, capabilities: { tools: {} }, serverInfo }),
  'server/discover': () => ({ supportedVersions: ['2026-07-28'], capabilities: { tools: {} }, serverInfo }),
  'tools/list': ({ cursor = '0' } = {}) => {
    const end = Number(cursor) + 50;
    return { tools: tools.slice(Number(cursor), end), ...(end < 200 ? { nextCursor: String(end) } : {}) };
  },
};
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  if (method === 'subscriptions/listen') {
    const _meta = { 'io.modelcontextprotocol/subscriptionId': id };
    const acknowledged = { _meta, notifications: params.notifications };
    console.log(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params: acknowledged }));
    return;
  }
  const answer = methods[method];
  const era = params?._meta?.['io.modelcontextprotocol/protocolVersion'] === undefined ? {} : modern;
  const outcome = answer ? { result: { ...answer(params), ...era } } : { error: { code: -32601, message: method } };
  console.log(JSON.stringify({ jsonrpc: '2.0', id, ...outcome }));
});
`;

test.each(Object.keys(CLIENTS) as ClientName[])(
  '200 tools on four pages have ours once, for the client of %s',
  async (client) => {
    const project = tempProject({
      'package.json': '{ "name": "paged", "type": "module" }',
      'server.mjs': PAGED,
    });
    const sdk = await CLIENTS[client](throughMcpDev(project, SERVER));
    const listed = names(await sdk.listed());
    expect(listed).toHaveLength(204);
    expect(listed.slice(50, 54)).toEqual(NAMES);
    const server = await sdk.tools();
    expect(server.at(-1)).toBe('tool199');
  },
);

test('the list is that of the server, byte for byte, with --no-tools and with --transparent', async () => {
  const project = tempProject(PLAIN_JS);
  const command = [process.execPath, 'server.mjs'];
  const options = { cwd: project.folder };
  const lines: Buffer[] = [];
  for (const client of [
    RawClient.start(command, options),
    RawClient.mcpDev(['--no-tools', '--', ...command], options),
    RawClient.mcpDev(['--transparent', '--', ...command], options),
  ]) {
    await client.initialize();
    await client.result('tools/list');
    lines.push(client.lines.find((line) => line.includes('"tools":['))!);
  }
  expect(lines[1]).toEqual(lines[0]);
  expect(lines[2]).toEqual(lines[0]);
});

test('with --no-tools a call of one of ours is for the server', async () => {
  const dev = await Dev.connect({ args: ['--no-tools'] });
  expect(await dev.client.request('tools/call', { name: 'mcp_dev_status' })).toMatchObject({
    error: { message: 'unknown tool mcp_dev_status' },
  });
});

test('a tool of the server wins over ours of the same name, and it is said', async () => {
  const own = { name: 'mcp_dev_status', inputSchema: { type: 'object' } };
  const dev = await Dev.connect({ puppet: { moreTools: [own] } });
  const { tools } = (await dev.client.result('tools/list')) as { tools: { name: string }[] };
  expect(names(tools).filter((name) => name === 'mcp_dev_status')).toHaveLength(1);
  expect(tools).toContainEqual(own);
  expect(textOf(await dev.client.callTool('mcp_dev_status'))).toBe('mcp_dev_status @1');
  await dev.client.stderrLine(/^mcp-dev the server has mcp_dev_status itself/);
  // It has gone, so ours is there again.
  dev.saveServer({});
  expect(await dev.client.callTool('mcp_dev_reload')).toMatchObject({
    structuredContent: { removed: ['tool mcp_dev_status'] },
  });
  expect(textOf(await dev.client.callTool('mcp_dev_status'))).toContain('is serving');
});

test('a reload tells what earlier ones had changed, of which nobody asked', async () => {
  const dev = await Dev.connect();
  dev.saveServer({ moreTools: [{ name: 'more', inputSchema: { type: 'object' } }] });
  await dev.tookOver(2);
  const first = await dev.client.callTool('mcp_dev_reload');
  expect(first).toMatchObject({
    structuredContent: { added: [], earlier: [{ generation: 2, added: ['tool more'] }] },
  });
  expect(textOf(first)).toMatch(
    /Before that, since you last asked:\n- .* ago, puppet\.json: generation 2 .*\+tool more$/,
  );
  expect(await dev.client.callTool('mcp_dev_reload')).toMatchObject({
    structuredContent: { added: [], earlier: [] },
  });
  await dev.reload(5);
  await dev.client.callTool('mcp_dev_status');
  expect(await dev.client.callTool('mcp_dev_reload')).toMatchObject({ structuredContent: { earlier: [] } });
});

test('calls of several clients at once are one reload', async () => {
  const dev = await Dev.connect({ args: ['--build', `echo >> builds.txt; ${GATED_BUILD}`] });
  dev.project.write('wait', '');
  const calls = [1, 2, 3, 4, 5].map(() => dev.client.callTool('mcp_dev_reload'));
  await until(() => existsSync(dev.project.path('running')), 'the build runs');
  // Not held, though a reload is on its way.
  expect(await dev.client.callTool('mcp_dev_status')).toMatchObject({
    structuredContent: { state: 'building', generation: 1 },
  });
  calls.push(dev.client.callTool('mcp_dev_reload'));
  dev.openGate();
  const outcomes = await Promise.all(calls);
  for (const { structuredContent } of outcomes)
    expect(structuredContent).toEqual(outcomes[0]?.structuredContent);
  expect(outcomes[0]).toMatchObject({ structuredContent: { ok: true, generation: 2 } });
  await dev.puppet(2);
  expect(dev.started).toBe(2);
  expect(readFileSync(dev.project.path('builds.txt'), 'utf8')).toBe('\n\n');
});

test("a failed build is told in the compiler's words, while nothing runs as well", async () => {
  const live = Live.start({ ...PLAIN_TS, 'tools.ts': 'export const tools = {' }, ['server.ts']);
  await live.client.initialize();
  const failed = await live.client.callTool('mcp_dev_reload');
  expect(failed).toMatchObject({ isError: true, structuredContent: { ok: false, state: 'down' } });
  expect(textOf(failed)).toMatch(/Nothing serves [\s\S]*the build failed[\s\S]*tools\.ts:1/);
  live.project.write('tools.ts', toolsText('two'));
  const mended = await live.client.callTool('mcp_dev_reload');
  expect(mended).toMatchObject({
    structuredContent: { ok: true, state: 'serving', added: ['tool version'] },
  });
  expect(await live.call()).toBe('two');
});

test('a first start that failed is mended by a reload in the modern era too, without another request', async () => {
  const files = { 'package.json': '{ "name": "paged", "type": "module" }', 'server.mjs': 'throw 1;\n' };
  const live = Live.start(files, SERVER);
  live.client.speakModern();
  expect(names((await live.client.result('tools/list')).tools as { name: string }[])).toEqual(NAMES);
  live.project.write('server.mjs', PAGED);
  const mended = await live.client.callTool('mcp_dev_reload');
  expect(mended).toMatchObject({ structuredContent: { ok: true, state: 'serving' } });
  expect(textOf(mended)).toContain('+tool tool199');
  expect((await live.client.callTool('mcp_dev_status')).structuredContent).toMatchObject({ era: 'modern' });
});

test("the server's last words are told without colours", async () => {
  const live = await Live.connect(PLAIN_JS, SERVER);
  live.project.write(
    'server.mjs',
    `process.stderr.write('\\u001b[31mno such\\u001b[0m table\\n');\nprocess.exit(1);\n`,
  );
  const failed = await live.client.callTool('mcp_dev_reload');
  expect(failed).toMatchObject({ structuredContent: { error: { text: 'no such table' } } });
  expect(textOf(failed)).toContain(':\nno such table');
});

test('what a call of ours gets wrong is said', async () => {
  const live = await Live.connect(PLAIN_JS, SERVER);
  const problem = async (name: string, args: JsonObject) => {
    const result = await live.client.callTool(name, args);
    expect(result.isError).toBe(true);
    return textOf(result);
  };
  expect(await problem('mcp_dev_status', { server: 'other' })).toBe(
    'mcp-dev: there is no server "other"; there is plain',
  );
  expect(await problem('mcp_dev_logs', { lins: 3 })).toMatch(/no argument "lins"; did you mean "lines"\?/);
  expect(await problem('mcp_dev_logs', { lines: 0 })).toMatch(
    /"lines" must be a whole number from 1 to 1000 \(got 0\)/,
  );
  expect(await problem('mcp_dev_logs', { source: 'x' })).toMatch(
    /must be one of server, build, mcp-dev, messages/,
  );
  expect(await problem('mcp_dev_reload', { env: {} })).toMatch(/only accepted when .* --allow-commands/);
  expect(await problem('mcp_dev_reload', { variant: 'x' })).toMatch(/no variants/);
  expect(live.triggers).toEqual([]);
});

describe('variants', () => {
  const files = (config: object) => ({
    'package.json': JSON.stringify({ name: 'plain', type: 'module', 'mcp-dev': config }),
    'server.mjs': plainText('one').replace("'one'", "[process.env.MODE, ...process.argv.slice(2)].join(' ')"),
    'broken.mjs': 'throw new Error("this one never works");\n',
  });
  const variants = {
    debug: { env: { MODE: 'debug' } },
    verbose: { args: ['server.mjs', '--verbose'] },
    broken: { args: ['broken.mjs'] },
  };

  test('are chosen by name, until something else is', async () => {
    const live = await Live.connect(files({ variants }), [...SERVER, 'given'], { env: { MODE: 'usual' } });
    expect(await live.call()).toBe('usual given');
    const { tools } = (await live.client.result('tools/list')) as {
      tools: { name: string; inputSchema: object }[];
    };
    const reload = tools.find(({ name }) => name === 'mcp_dev_reload');
    expect(reload?.inputSchema).toMatchObject({
      properties: { variant: { enum: ['default', 'debug', 'verbose', 'broken'] } },
    });
    expect(reload?.inputSchema).not.toHaveProperty('properties.command');

    expect(await live.client.callTool('mcp_dev_reload', { variant: 'debug' })).toMatchObject({
      structuredContent: { ok: true, choice: { variant: 'debug', variables: ['MODE'] } },
    });
    expect(await live.call()).toBe('debug given');
    live.project.write('server.mjs', `${files({})['server.mjs']}\n`);
    await live.tookOver(3);
    expect(await live.call()).toBe('debug given');
    expect(textOf(await live.client.callTool('mcp_dev_status'))).toMatch(/^chosen: variant "debug"/m);

    await live.client.callTool('mcp_dev_reload', { variant: 'verbose' });
    expect(await live.call()).toBe('usual --verbose');
    await live.client.callTool('mcp_dev_reload', { variant: 'default' });
    expect(await live.call()).toBe('usual given');
    expect((await live.client.callTool('mcp_dev_status')).structuredContent).not.toHaveProperty('choice');
  });

  test('that do not start leave what runs in service', async () => {
    const live = await Live.connect(files({ variants }), SERVER, { env: { MODE: 'usual' } });
    const failed = await live.client.callTool('mcp_dev_reload', { variant: 'broken' });
    expect(failed).toMatchObject({ isError: true, structuredContent: { state: 'stale', generation: 1 } });
    expect(textOf(failed)).toContain('this one never works');
    expect(await live.call()).toBe('usual');
    await live.client.callTool('mcp_dev_reload', { variant: 'default' });
    expect((await live.client.callTool('mcp_dev_status')).structuredContent).toMatchObject({
      state: 'serving',
    });
  });

  test('that are chosen while another one starts are started after it', async () => {
    const dev = await Dev.connect({
      files: {
        'mcp-dev.config.json': JSON.stringify({ variants: { debug: { env: { PUPPET_MODE: 'debug' } } } }),
      },
      puppet: {},
    });
    dev.saveServer({ hold: [{ method: 'initialize' }] });
    const starting = await dev.puppet(2);
    await starting.event('held');
    const chosen = dev.client.callTool('mcp_dev_reload', { variant: 'debug' });
    // Answered in turn: the choice was heard by then.
    await dev.client.callTool('mcp_dev_status');
    await starting.do({ do: 'release' });
    await (await dev.puppet(3)).do({ do: 'release' });
    expect(await chosen).toMatchObject({ structuredContent: { ok: true, choice: { variant: 'debug' } } });
    const serving = await dev.puppet(3);
    expect(serving.started.env.PUPPET_MODE).toBe('debug');
  });

  test('commands, arguments and variables need --allow-commands', async () => {
    const live = await Live.connect(files({ allowCommands: true, variants }), SERVER, {
      env: { MODE: 'usual' },
    });
    const { tools } = (await live.client.result('tools/list')) as {
      tools: { name: string; inputSchema: object }[];
    };
    const reload = tools.find(({ name }) => name === 'mcp_dev_reload');
    expect(reload?.inputSchema).toMatchObject({ properties: { command: {}, args: {}, env: {} } });
    const choose = (args: JsonObject) => live.client.callTool('mcp_dev_reload', args);
    await choose({ args: ['server.mjs', 'a', 'b'] });
    expect(await live.call()).toBe('usual a b');
    // What is chosen replaces what was chosen before.
    await choose({ env: { MODE: 'mine' } });
    expect(await live.call()).toBe('mine');
    await choose({ variant: 'verbose', env: { MODE: 'mine' } });
    expect(await live.call()).toBe('mine --verbose');
    await choose({});
    expect(await live.call()).toBe('mine --verbose');
    expect(await choose({ command: 'no-such-program', args: [] })).toMatchObject({
      isError: true,
      structuredContent: { error: { summary: expect.stringContaining('no-such-program') } },
    });
    expect(await live.call()).toBe('mine --verbose');
  });
});
