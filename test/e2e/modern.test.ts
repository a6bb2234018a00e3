import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { enveloped, type JsonObject, type Message, textOf } from '../kit/messages.ts';
import { processesOf } from '../kit/processes.ts';
import { RawClient } from '../kit/raw-client.ts';
import { type TempProject, tempProject } from '../kit/temp-project.ts';
import { until } from '../kit/wait.ts';
import { Dev, type DevOptions, GATED_BUILD } from './dev.ts';
import { eraProject, versionText } from './eras.ts';

const BOTH = { eras: ['legacy', 'modern'] };
const MODERN = { eras: ['modern'] };
const TAG = 'io.modelcontextprotocol/subscriptionId';
const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';
const TOOLS_CHANGED = 'notifications/tools/list_changed';
const PADDED = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true },
};

/** A session that has said nothing yet, of a client that speaks 2026-07-28. */
async function startModern(options: DevOptions): Promise<Dev> {
  const dev = await Dev.start(options);
  dev.client.speakModern();
  return dev;
}

async function listen(client: RawClient, id: string | number, notifications: JsonObject): Promise<Message> {
  client.send({ jsonrpc: '2.0', id, method: 'subscriptions/listen', params: enveloped({ notifications }) });
  return client.next((message) => message.method === ACKNOWLEDGED && tagOf(message) === id);
}

function tagOf({ params }: Message): unknown {
  return (params?._meta as JsonObject | undefined)?.[TAG];
}

/** What the client got from a position on, by method or id. */
function heard({ received }: RawClient, from: number): unknown[] {
  return received.all.slice(from).map(({ method, id }) => method ?? id);
}

/** A raw client in front of `mcp-dev` with a server of the SDK 2.x; `options` are those of the server. */
function withSdk(options?: string): { readonly project: TempProject; readonly client: RawClient } {
  const project = eraProject('SDK 2', options);
  const client = RawClient.mcpDev(['--', 'node', 'server.mjs'], { cwd: project.folder });
  client.speakModern();
  return { project, client };
}

function tookOver(client: RawClient, generation: number): Promise<string> {
  return client.stderrLine(new RegExp(`^mcp-dev generation ${generation} (took over|started)`));
}

test.each([false, true])(
  'discover settles nothing: initialize works after it (reload between: %s)',
  async (reload) => {
    const dev = await Dev.start({ puppet: BOTH });
    const { result } = await dev.client.request('server/discover', enveloped());
    expect(result).toMatchObject({ supportedVersions: ['2026-07-28'] });
    const last = reload ? 2 : 1;
    if (reload) await dev.reload(2);
    await dev.client.initialize();
    expect(await dev.serving()).toBe(last);
    await dev.reload(last + 1);
    expect(await dev.serving()).toBe(last + 1);
    expect((await dev.puppet(last + 1)).messages[0]?.method).toBe('initialize');
  },
);

test('an initialize that is refused in the midst of a session changes nothing, and reloads go on', async () => {
  const dev = await Dev.connectModern();
  for (const generation of [1, 2, 3]) {
    if (generation > 1) await dev.reload(generation);
    dev.client.send({
      jsonrpc: '2.0',
      id: `old ${generation}`,
      method: 'initialize',
      params: { protocolVersion: '2025-06-18' },
    });
    expect((await dev.client.response(`old ${generation}`)).error).toMatchObject({
      code: -32022,
      data: { supported: ['2026-07-28'] },
    });
    expect(await dev.serving()).toBe(generation);
  }
  await dev.expectStarted(3);
});

test('a server that serves calls of an era it does not know is replaced as it is', async () => {
  const dev = await startModern({ puppet: { eras: ['legacy'] } });
  expect(await dev.client.result('tools/list')).not.toHaveProperty('resultType');
  expect(await dev.serving()).toBe(1);
  await dev.reload(2);
  expect(await dev.serving()).toBe(2);
  const second = await dev.puppet(2);
  await second.caughtUp();
  expect(second.messages.map(({ method }) => method)).toEqual(['tools/call']);
  expect((await dev.client.request('subscriptions/listen', { notifications: {} })).error?.code).toBe(-32601);
});

test('each generation is pinned before anything without an envelope reaches it', async () => {
  const dev = await startModern({ puppet: BOTH });
  await dev.client.result('tools/list');
  for (const generation of [2, 3]) {
    dev.saveServer({ ...BOTH, hold: [{ method: 'tools/list' }], version: `${generation}` });
    const next = await dev.puppet(generation);
    await next.event('held');
    for (const requestId of [1, 99, 'x'])
      dev.client.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } });
    await next.do({ do: 'release' });
    await dev.tookOver(generation);
    expect(await dev.client.callTool('add', { a: 1, b: 2 })).toMatchObject({ resultType: 'complete' });
    expect(next.messages.slice(0, 2).map(({ method }) => method)).toEqual(['server/discover', 'tools/list']);
  }
});

test('a server of the SDK for both eras stays modern, whatever the client says during a swap', async () => {
  const { project, client } = withSdk();
  await client.result('tools/list');
  for (const [at, version] of ['two', 'three', 'four'].entries()) {
    project.write('version.mjs', versionText({ version }));
    const chatter = setInterval(() => {
      client.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
      client.send({ jsonrpc: '2.0', method: 'notifications/roots/list_changed' });
    }, 1);
    await tookOver(client, at + 2).finally(() => clearInterval(chatter));
    const result = await client.callTool('version');
    expect(result).toMatchObject({ resultType: 'complete', structuredContent: { version } });
    await listen(client, `listen ${at}`, { toolsListChanged: true });
  }
});

test('discovery is the same in every process, and nothing may be kept', async () => {
  const puppet = {
    ...MODERN,
    capabilities: { tools: {}, extensions: { 'x/y': { z: 1 } } },
    resources: [],
    prompts: [],
  };
  const dev = await startModern({ puppet });
  const expected = {
    resultType: 'complete',
    supportedVersions: ['2026-07-28'],
    capabilities: { ...PADDED, extensions: { 'x/y': { z: 1 } } },
    ttlMs: 0,
    cacheScope: 'public',
  };
  const first = await dev.client.result('server/discover');
  expect(first).toMatchObject(expected);
  expect(await dev.client.result('tools/list')).toMatchObject({ ttlMs: 0, cacheScope: 'public' });
  expect(await dev.client.result('prompts/list')).toMatchObject({
    prompts: [],
    resultType: 'complete',
    ttlMs: 0,
  });
  dev.saveServer({ ...puppet, capabilities: { ...puppet.capabilities, prompts: {} } });
  await dev.tookOver(2);
  expect((await dev.client.result('server/discover')).capabilities).toEqual(first.capabilities);
  const other = dev.another();
  other.speakModern();
  expect((await other.result('server/discover')).capabilities).toEqual(first.capabilities);
});

test('with --transparent all is as the server says it, and reloads are told', async () => {
  const puppet = { ...MODERN, capabilities: { tools: { listChanged: true } } };
  const dev = await startModern({ puppet, args: ['--transparent'] });
  expect(await dev.client.result('server/discover')).toMatchObject({
    capabilities: { tools: { listChanged: true } },
    ttlMs: 3_600_000,
  });
  expect(await dev.client.result('tools/list')).toMatchObject({ ttlMs: 3_600_000 });
  expect((await dev.client.request('prompts/list')).error?.code).toBe(-32601);
  const asked = { toolsListChanged: true, promptsListChanged: true };
  expect((await listen(dev.client, 'l', asked)).params?.notifications).toEqual({ toolsListChanged: true });
  await dev.reload(2);
  expect(tagOf(await dev.client.next(TOOLS_CHANGED))).toBe('l');
});

test('with --transparent a server of the older era is as it is, too', async () => {
  const capabilities = { tools: { listChanged: true } };
  const dev = await Dev.connect({ puppet: { capabilities }, args: ['--transparent'] });
  expect(dev.client.received.all[0]?.result?.capabilities).toEqual(capabilities);
  expect((await dev.client.request('prompts/list')).error?.code).toBe(-32601);
  await dev.reload(2);
  await dev.client.next(TOOLS_CHANGED);
});

test('discovery with a broken build is what the last good start said, and it heals', async () => {
  const caches = tempProject();
  const dev = await startModern({
    puppet: { ...MODERN, instructions: 'of the server' },
    args: ['--build', 'exit $(cat src/code.js)'],
    files: { 'src/code.js': '2' },
    env: { XDG_CACHE_HOME: caches.folder },
  });
  // Nothing is known of it.
  expect((await dev.client.request('server/discover')).error?.code).toBe(-32601);
  dev.project.write('src/code.js', '0');
  await dev.puppet(1);
  const good = await dev.client.result('server/discover');
  expect(good).toMatchObject({ instructions: 'of the server' });
  await dev.client.close();
  dev.project.write('src/code.js', '2');
  const next = dev.another();
  next.speakModern();
  expect(await next.result('server/discover')).toMatchObject({
    instructions: 'of the server',
    capabilities: good.capabilities as JsonObject,
    resultType: 'complete',
    ttlMs: 0,
  });
  expect(await next.result('tools/list')).toMatchObject({ resultType: 'complete', ttlMs: 0 });
  expect(await dev.tools(next)).toEqual([]);
  expect(await next.callTool('echo')).toMatchObject({
    isError: true,
    resultType: 'complete',
    _meta: { 'mcp-dev': { reason: 'build_failed' } },
  });
  await listen(next, 'l', { toolsListChanged: true });
  dev.project.write('src/code.js', '0');
  expect(tagOf(await next.next(TOOLS_CHANGED))).toBe('l');
  expect(await dev.tools(next)).toEqual(['echo', 'add', 'slow']);
});

test('discovery waits for a server that is slow to start', async () => {
  const dev = await startModern({ puppet: { ...MODERN, startDelay: 1500, instructions: 'late' } });
  expect(await dev.client.result('server/discover')).toMatchObject({ instructions: 'late' });
});

test('subscriptions: one acknowledgement, tagged news after each reload and before its answers, no end', async () => {
  const dev = await Dev.connectModern();
  expect((await listen(dev.client, 'lists', { toolsListChanged: true })).params).toEqual({
    notifications: { toolsListChanged: true },
    _meta: { [TAG]: 'lists' },
  });
  await listen(dev.client, 77, { resourceSubscriptions: ['puppet://state'], taskIds: ['t'] });
  for (const generation of [2, 3]) {
    const from = dev.client.received.all.length;
    dev.save();
    await dev.puppet(generation);
    const { result } = await dev.client.request(
      'tools/call',
      { name: 'echo', arguments: { text: '' } },
      `c${generation}`,
    );
    expect(textOf(result as JsonObject)).toBe(` @${generation}`);
    expect(heard(dev.client, from)).toEqual([
      TOOLS_CHANGED,
      'notifications/resources/updated',
      `c${generation}`,
    ]);
    expect(dev.client.received.all.slice(from, from + 2).map(tagOf)).toEqual(['lists', 77]);

    const puppet = await dev.puppet(generation);
    const parts = puppet.messages.filter(({ method }) => method === 'subscriptions/listen');
    expect(parts.map(({ params }) => params)).toEqual([
      enveloped({ notifications: { toolsListChanged: true } }),
      enveloped({ notifications: { resourceSubscriptions: ['puppet://state'], taskIds: ['t'] } }),
    ]);
    const told = dev.client.received.all.length;
    for (const { id } of parts)
      await puppet.do({
        do: 'notify',
        method: 'notifications/tasks',
        params: { taskId: 't', _meta: { [TAG]: id } },
      });
    await dev.client.result('tools/list');
    expect(dev.client.received.all.slice(told, told + 2).map(tagOf)).toEqual(['lists', 77]);
    // The process before it may end its part as it likes.
    const before = await dev.puppet(generation - 1);
    expect(before.events.all.filter(({ event }) => event === 'violation')).toEqual([]);
  }
  expect(dev.client.received.all.filter(({ method }) => method === ACKNOWLEDGED)).toHaveLength(2);
  expect(
    dev.client.received.all.filter(({ id, method }) => method === undefined && (id === 'lists' || id === 77)),
  ).toEqual([]);
});

test('a subscription that its server ends is opened there again, and a cancelled one nowhere', async () => {
  const dev = await Dev.connectModern();
  await listen(dev.client, 'l', { toolsListChanged: true });
  const first = await dev.puppet(1);
  const part = (await first.received('subscriptions/listen')).id;
  await first.do({ do: 'answer', id: part, result: { resultType: 'complete', _meta: { [TAG]: part } } });
  const again = await first.received(({ method, id }) => method === 'subscriptions/listen' && id !== part);
  await first.do({ do: 'notify', method: TOOLS_CHANGED, params: { _meta: { [TAG]: again.id } } });
  expect(tagOf(await dev.client.next(TOOLS_CHANGED))).toBe('l');

  dev.client.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'l' } });
  expect((await first.received('notifications/cancelled')).params).toEqual({ requestId: again.id });
  const from = dev.client.received.all.length;
  await first.do({ do: 'notify', method: TOOLS_CHANGED, params: { _meta: { [TAG]: again.id } } });
  const second = await dev.reload(2);
  expect(await dev.serving()).toBe(2);
  expect(second.messages.map(({ method }) => method)).not.toContain('subscriptions/listen');
  expect(heard(dev.client, from)).toHaveLength(1);
});

test.each(['the end of stdin', 'SIGTERM'])('at %s each subscription gets its proper end', async (how) => {
  const dev = await Dev.connectModern();
  await listen(dev.client, 'a', { toolsListChanged: true });
  await listen(dev.client, 8, { promptsListChanged: true });
  await dev.reload(2);
  if (how === 'SIGTERM') dev.client.kill('SIGTERM');
  else await dev.client.close();
  await dev.client.exit();
  for (const id of ['a', 8]) {
    expect(await dev.client.response(id)).toEqual({
      jsonrpc: '2.0',
      id,
      result: { resultType: 'complete', _meta: { [TAG]: id } },
    });
  }
});

test('what a crash interrupts is answered in the form of the era', async () => {
  const dev = await Dev.connectModern();
  const call = dev.client.callTool('slow');
  const first = await dev.puppet(1);
  await first.event('held');
  await first.do({ do: 'crash' });
  expect(await call).toMatchObject({
    isError: true,
    resultType: 'complete',
    _meta: { 'mcp-dev': { reason: 'server_crashed', mayHaveExecuted: true } },
  });
  expect(await dev.serving()).toBe(2);
});

test('a call that is the first message of all is finished when a save comes in its midst', async () => {
  const dev = await startModern({ puppet: MODERN });
  const call = dev.client.callTool('slow');
  const first = await dev.puppet(1);
  await first.event('held');
  dev.save();
  await dev.tookOver(2);
  expect(await dev.serving()).toBe(2);
  await first.do({ do: 'release' });
  expect(textOf(await call)).toBe('slow @1');
});

test('a call that is the first message of all is not made twice when its server crashes', async () => {
  const dev = await startModern({ puppet: MODERN });
  const call = dev.client.callTool('slow');
  const first = await dev.puppet(1);
  await first.event('held');
  await first.do({ do: 'crash' });
  expect(await call).toMatchObject({ isError: true, _meta: { 'mcp-dev': { mayHaveExecuted: true } } });
  expect(await dev.serving()).toBe(2);
  const calls = (await dev.puppet(2)).messages.filter(({ method }) => method === 'tools/call');
  expect(calls).toHaveLength(1);
});

const ASKS = enveloped({
  name: 'ask',
  arguments: {},
  _meta: { 'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } } },
});

/** Asks with generation 1, and answers with generation 2, twice. */
async function retryAcrossSwap(options?: string): Promise<{ client: RawClient; responses: Message[] }> {
  const { project, client } = withSdk(options);
  const asked = await client.request('tools/call', ASKS);
  expect(asked.result).toMatchObject({ resultType: 'input_required', inputRequests: { name: {} } });
  project.write('version.mjs', versionText({ version: 'two' }));
  await tookOver(client, 2);
  const params = {
    ...ASKS,
    inputResponses: { name: { action: 'accept', content: { name: 'Ada' } } },
    requestState: asked.result?.requestState,
  };
  const responses = [await client.request('tools/call', params), await client.request('tools/call', params)];
  return { client, responses };
}

test('a requestState of the build before is refused by its key, which is explained once', async () => {
  const { client, responses } = await retryAcrossSwap();
  for (const { error } of responses)
    expect(error).toMatchObject({ code: -32602, data: { reason: 'invalid_request_state' } });
  await client.stderrLine(/requestState.*MCP_DEV_SECRET/);
  expect(textOf(await client.callTool('mcp_dev_status'))).toMatch(/^hint: .*requestState.*MCP_DEV_SECRET/m);
  await client.close();
  expect(client.stderr.all.filter((line) => line.includes('MCP_DEV_SECRET'))).toHaveLength(1);
});

test('a requestState of the build before holds when its key is MCP_DEV_SECRET', async () => {
  const { client, responses } = await retryAcrossSwap(
    `{ key: Buffer.from(process.env.MCP_DEV_SECRET, 'hex') }`,
  );
  for (const { result } of responses)
    expect(textOf(result as JsonObject)).toBe('accept Ada, asked by one @two');
  await client.close();
  expect(client.stderr.all.join('\n')).not.toContain('MCP_DEV_SECRET');
});

test('MCP_DEV_SECRET is one for each project, known to the user alone', async () => {
  const caches = tempProject();
  const env = { XDG_CACHE_HOME: caches.folder };
  const secrets = async (dev: Dev, ...numbers: number[]) => {
    const puppets = await Promise.all(numbers.map((number) => dev.puppet(number)));
    return new Set(puppets.map(({ started }) => started.env.MCP_DEV_SECRET));
  };
  const dev = await Dev.connectModern({ env });
  await dev.reload(2);
  await dev.client.close();
  const next = dev.another();
  next.speakModern();
  await next.result('tools/list');
  const own = await secrets(dev, 1, 2, 3);
  expect(own.size).toBe(1);
  expect([...own][0]).toMatch(/^[0-9a-f]{64}$/);
  const other = await secrets(await Dev.connectModern({ env }), 1);
  expect(other).not.toEqual(own);
  const given = await secrets(await Dev.connectModern({ env: { ...env, MCP_DEV_SECRET: 'mine' } }), 1);
  expect([...given]).toEqual(['mine']);
  const folder = join(caches.folder, 'mcp-dev', 'secrets');
  const modes = readdirSync(folder).map((name) => statSync(join(folder, name)).mode & 0o777);
  expect(modes).toEqual(modes.map(() => 0o600));
  expect(modes.length).toBeGreaterThanOrEqual(2);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

test('a task is the business of the generation that made it, which lives as long', async () => {
  const task = { resultType: 'task', taskId: 't1', status: 'working', ttlMs: 60_000 };
  const puppet = {
    ...MODERN,
    capabilities: { tools: {}, extensions: { 'io.modelcontextprotocol/tasks': {} } },
    moreTools: [{ name: 'begin', inputSchema: { type: 'object' }, result: task }],
    hold: [{ method: 'tasks/get' }],
  };
  const dev = await startModern({ puppet });
  const params = {
    name: 'begin',
    arguments: {},
    _meta: {
      'io.modelcontextprotocol/clientCapabilities': { extensions: { 'io.modelcontextprotocol/tasks': {} } },
    },
  };
  expect((await dev.client.request('tools/call', params)).result).toMatchObject(task);
  const first = await dev.puppet(1);
  await dev.reload(2);
  expect(await dev.serving()).toBe(2);
  const get = dev.client.request('tasks/get', { taskId: 't1' }, 'get');
  await first.event('held');
  const result = { resultType: 'complete', taskId: 't1', status: 'completed', ttlMs: 60_000 };
  await first.do({ do: 'answer', id: 'get', result });
  expect((await get).result).toEqual(result);
  await first.gone;
});

test('what a server asks in an era without such requests is dropped, and said', async () => {
  const dev = await Dev.connectModern();
  const first = await dev.puppet(1);
  const from = dev.client.received.all.length;
  await first.do({ do: 'ask', id: 0, method: 'elicitation/create', params: {} });
  await dev.client.stderrLine(/generation 1 asks the client for elicitation\/create/);
  expect(await dev.serving()).toBe(1);
  expect(heard(dev.client, from)).toHaveLength(1);
  expect(first.events.all.filter(({ event }) => event === 'answered')).toEqual([]);
});

test.each([
  [
    'of the older era alone, in a session of 2026-07-28',
    MODERN,
    { eras: ['legacy'] },
    'protocol version 2026-07-28, which this session has',
  ],
  [
    'of 2026-07-28 alone, in a session of the older era',
    { eras: ['legacy'] },
    MODERN,
    'reconnect the client to use 2026-07-28',
  ],
])('a server %s is a failed reload; the one before it goes on', async (_, before, after, words) => {
  const modern = before === MODERN;
  const dev = modern ? await Dev.connectModern({ puppet: before }) : await Dev.connect({ puppet: before });
  dev.saveServer(after);
  await dev.client.stderrLine(new RegExp(`cannot take over: .*${words}`));
  const result = await dev.client.callTool('echo', { text: '' });
  expect(result).toMatchObject({
    _meta: { 'mcp-dev': { stale: true, generation: 1, reason: 'start_failed' } },
  });
  expect(textOf(result)).toBe(' @1');
  dev.saveServer({ ...before, version: '2.0.0' });
  await dev.tookOver(3);
  expect(await dev.serving()).toBe(3);
});

test('a real server of the older era is a failed reload of a session of 2026-07-28', async () => {
  const { project, client } = withSdk();
  await client.result('tools/list');
  const old = eraProject('SDK 1');
  project.write('server.mjs', readFileSync(old.path('server.mjs'), 'utf8'));
  await client.stderrLine(/cannot take over: .*protocol version 2026-07-28, which this session has/);
  expect(textOf(await client.callTool('version'))).toBe('one');
});

test('a client of the older era hears a server of 2026-07-28 alone say so', async () => {
  const dev = await Dev.start({ puppet: MODERN });
  expect(await dev.client.request('initialize', { protocolVersion: '2025-06-18' })).toMatchObject({
    error: { code: -32022, data: { supported: ['2026-07-28'], requested: '2025-06-18' } },
  });
});

/** Started by a client that only wants to know what the server is; it has not been answered yet. */
function startProbe(client: RawClient): RawClient {
  client.send({ jsonrpc: '2.0', id: 'probe', method: 'server/discover', params: enveloped() });
  return client;
}

/** Ends it as such a client does: all at once, and with half a mind to kill it. */
async function endProbe(client: RawClient): Promise<void> {
  const exit = client.close();
  client.kill('SIGTERM');
  await exit;
}

/** Processes of the test's project, but for those of this client. */
function processesBeside(dev: Dev, ...clients: readonly RawClient[]): number[] {
  const own = [process.pid, ...clients.map(({ pid }) => pid)];
  return processesOf(`PUPPET_SOCKET=${dev.hub.socket}`).filter((pid) => !own.includes(pid));
}

test('a process that is only asked what the server is ends with all that it started', async () => {
  const dev = await Dev.start({ puppet: BOTH });
  const { result } = await startProbe(dev.client).response('probe');
  expect(result).toMatchObject({ supportedVersions: ['2026-07-28'], capabilities: PADDED });
  await endProbe(dev.client);
  expect(processesBeside(dev)).toEqual([]);
  const session = dev.another();
  session.speakModern();
  expect(textOf(await session.callTool('echo', { text: 'hi' }))).toMatch(/^hi @1$/);
  await dev.expectStarted(2);
});

test('a process that is only asked what the server is may end before it could say so', async () => {
  const dev = await Dev.start({ puppet: { ...MODERN, hold: [{ method: 'server/discover' }] } });
  startProbe(dev.client);
  await (await dev.puppet(1)).event('held');
  await endProbe(dev.client);
  expect(processesBeside(dev)).toEqual([]);
});

/** Notes that it ran, and waits for its gate. */
const NOTED_BUILD = `echo built >> builds.txt; ${GATED_BUILD}`;

/** A project whose build waits. */
async function startGated(): Promise<Dev> {
  return Dev.start({
    puppet: MODERN,
    args: ['-v', '--build', NOTED_BUILD],
    files: { wait: '' },
  });
}

function builds(dev: Dev): number {
  return readFileSync(dev.project.path('builds.txt'), 'utf8').split('\n').length - 1;
}

test('a probe that comes while a session builds waits for that, and leaves it alone when it ends', async () => {
  const dev = await startGated();
  dev.client.speakModern();
  const list = dev.tools();
  await until(() => existsSync(dev.project.path('running')), 'the session builds');
  const other = startProbe(dev.another());
  await other.stderrLine(new RegExp(`waits for the same build of process ${dev.client.pid}$`));
  await endProbe(other);
  expect(existsSync(dev.project.path('running'))).toBe(true);
  dev.openGate();
  expect(await list).toEqual(['echo', 'add', 'slow']);
  expect(builds(dev)).toBe(1);
});

test('a session that comes while a probe builds does not depend on its end', async () => {
  const dev = await startGated();
  startProbe(dev.client);
  await until(() => existsSync(dev.project.path('running')), 'the probe builds');
  const session = dev.another();
  session.speakModern();
  const list = dev.tools(session);
  await session.stderrLine(new RegExp(`waits for the same build of process ${dev.client.pid}$`));
  await endProbe(dev.client);
  await until(() => builds(dev) === 2, 'the session builds');
  dev.openGate();
  expect(await list).toEqual(['echo', 'add', 'slow']);
  await session.close();
  expect(processesBeside(dev)).toEqual([]);
  // Nothing was left that the next one would have to wait for.
  const next = dev.another();
  next.speakModern();
  expect(await dev.tools(next)).toEqual(['echo', 'add', 'slow']);
  expect(next.stderr.all.join('\n')).not.toContain('waits for');
  expect(builds(dev)).toBe(3);
});
