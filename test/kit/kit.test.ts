import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { enveloped, repositoryFile, textOf } from './messages.ts';
import { alive, processesOf } from './processes.ts';
import { PUPPET, PuppetHub } from './puppet-hub.ts';
import { RawClient } from './raw-client.ts';
import { tempProject } from './temp-project.ts';
import { Arrivals, until } from './wait.ts';

async function start(config: object = {}) {
  const project = tempProject({ 'puppet.json': JSON.stringify(config) });
  const hub = await PuppetHub.open();
  const env = { ...hub.env(project.path('puppet.json')), MCP_DEV_GENERATION: '7' };
  const client = RawClient.start(PUPPET, { cwd: project.folder, env });
  return { project, hub, env, client, puppet: await hub.next(1) };
}

test('a session with the puppet: handshake, lists, calls, and everything is reported', async () => {
  const { project, hub, client, puppet } = await start();
  const result = await client.initialize({ protocolVersion: '2025-03-26' });
  expect(result).toMatchObject({ protocolVersion: '2025-03-26', serverInfo: { name: 'puppet' } });
  const { tools } = (await client.result('tools/list')) as { tools: { name: string }[] };
  expect(tools.map(({ name }) => name)).toEqual(['echo', 'add', 'slow']);
  expect(textOf(await client.callTool('echo', { text: 'grüße' }))).toBe('grüße @7');
  expect(textOf(await client.callTool('add', { a: 2, b: 40 }))).toBe('42');
  expect(await client.request('tools/call', { name: 'no' })).toMatchObject({ error: { code: -32602 } });
  expect(await client.request('no/such')).toMatchObject({ error: { code: -32601 } });
  for (const method of ['prompts/list', 'resources/list', 'resources/templates/list']) {
    expect(Object.values(await client.result(method))[0]).toHaveLength(1);
  }
  expect(puppet.started).toMatchObject({
    generation: '7',
    cwd: project.folder,
    env: hub.env(project.path('puppet.json')),
  });
  await puppet.caughtUp();
  expect(puppet.messages.map(({ method }) => method)).toEqual([
    ...[
      'initialize',
      'notifications/initialized',
      'tools/list',
      'tools/call',
      'tools/call',
      'tools/call',
      'no/such',
    ],
    ...['prompts/list', 'resources/list', 'resources/templates/list'],
  ]);
  expect(puppet.violations).toEqual([]);
  expect(await client.close()).toEqual({ code: 0, signal: null });
  await puppet.event('stdin-end');
  await puppet.gone;
  expect(client.garbage).toEqual([]);
});

test('the puppet refuses what comes before the handshake, and reports what no client does', async () => {
  const { client, puppet } = await start();
  expect(await client.request('tools/list')).toMatchObject({ error: { code: -32600 } });
  await client.initialize();
  await client.request('ping', {}, 'same');
  client.send({ jsonrpc: '2.0', id: 'same', method: 'ping' });
  await puppet.event('violation', ({ text }) => String(text).includes('"same"'));
  expect(await client.request('initialize', {})).toMatchObject({ error: { code: -32600 } });
  await puppet.caughtUp();
  expect(puppet.violations).toEqual([
    'tools/list before notifications/initialized',
    'id "same" used again',
    'initialize came again',
  ]);
});

test('a held call is answered when it is released, and others overtake it', async () => {
  const { client, puppet } = await start();
  await client.initialize();
  const slow = client.callTool('slow');
  await puppet.event('held');
  await client.callTool('add', { a: 1, b: 1 });
  expect(client.received.all.at(-1)).toMatchObject({ id: 3 });
  await puppet.do({ do: 'release', method: 'tools/call', tool: 'slow' });
  expect(textOf(await slow)).toBe('slow @7');
  expect(textOf(await client.callTool('slow'))).toBe('slow @7');
});

test('a held request can be answered by the test', async () => {
  const { client, puppet } = await start({ hold: [{ method: 'initialize' }] });
  const response = client.request('initialize', {}, 'first');
  await puppet.event('held');
  await puppet.do({ do: 'answer', id: 'first', error: { code: 1, message: 'not today' } });
  expect(await response).toMatchObject({ id: 'first', error: { code: 1, message: 'not today' } });
});

test('requests and notifications of the server, stray output, stderr', async () => {
  const { client, puppet } = await start();
  client.answer('roots/list', () => ({ roots: [{ uri: 'file:///x' }] }));
  await client.initialize();
  await puppet.do({ do: 'ask', id: 0, method: 'roots/list' });
  const answered = await puppet.event('answered');
  expect(answered.message).toMatchObject({ id: 0, result: { roots: [{ uri: 'file:///x' }] } });
  await puppet.do({ do: 'notify', method: 'notifications/tools/list_changed' });
  await puppet.do({ do: 'write', line: 'console.log in a server\n' });
  await puppet.do({
    do: 'write',
    base64: Buffer.from('{"jsonrpc":"2.0","method":"x/y"}\n').toString('base64'),
  });
  await puppet.do({ do: 'stderr', text: 'a line\nanother\n' });
  expect((await client.next('roots/list')).id).toBe(0);
  await client.next('x/y');
  expect(client.garbage).toEqual(['console.log in a server']);
  expect(await client.stderrLine(/^another$/)).toBe('another');
});

test('the configuration is read at each start: tools, pages, and a broken file', async () => {
  const extra = {
    name: 'extra',
    inputSchema: { type: 'object' },
    result: { content: [{ type: 'text', text: 'hi' }] },
  };
  const { project, hub, env, client } = await start({ moreTools: [extra], pageSize: 3 });
  await client.initialize();
  const page = await client.result('tools/list');
  expect(page).toMatchObject({ nextCursor: '3' });
  const rest = await client.result('tools/list', { cursor: '3' });
  expect(rest).toEqual({ tools: [{ name: 'extra', inputSchema: { type: 'object' } }] });
  expect(textOf(await client.callTool('extra'))).toBe('hi');

  project.atomicWrite('puppet.json', JSON.stringify({ instructions: 'new', protocolVersion: '2024-11-05' }));
  const second = RawClient.start(PUPPET, { env });
  expect(await second.initialize()).toMatchObject({ instructions: 'new', protocolVersion: '2024-11-05' });

  project.write('puppet.json', '{"tools": [');
  const third = RawClient.start(PUPPET, { env });
  expect((await third.exit()).code).toBe(1);
  await third.stderrLine(/SyntaxError/);
  expect(hub.puppets.all).toHaveLength(2);
});

test('the puppet ends as it is told: exit code, signals, and only when it does not ignore them', async () => {
  const { client, puppet } = await start();
  await puppet.do({ do: 'exit', code: 3 });
  expect(await client.exit()).toEqual({ code: 3, signal: null });

  const crashing = await start();
  await crashing.puppet.do({ do: 'crash', signal: 'SIGSEGV' });
  expect(await crashing.client.exit()).toEqual({ code: null, signal: 'SIGSEGV' });

  const stubborn = await start({ ignoreStdinEnd: true });
  await stubborn.puppet.do({ do: 'ignore-signals' });
  stubborn.client.kill('SIGTERM');
  await stubborn.puppet.event('signal', ({ name }) => name === 'SIGTERM');
  stubborn.client.send({ jsonrpc: '2.0', id: 1, method: 'ping' });
  await stubborn.client.response(1);
  stubborn.client.kill('SIGKILL');
  expect(await stubborn.client.exit()).toEqual({ code: null, signal: 'SIGKILL' });
});

test.each(['group', 'setsid', 'double'] as const)(
  'a helper of the kind %s outlives the puppet',
  async (kind) => {
    const { puppet, hub } = await start();
    const marker = `PUPPET_SOCKET=${hub.socket}`;
    const marked = await puppet.fork(kind);
    const bare = await puppet.fork(kind, { bare: true });
    expect(new Set(processesOf(marker))).toEqual(new Set([puppet.pid, marked]));
    await puppet.do({ do: 'crash' });
    await until(() => !alive(puppet.pid), 'the puppet has ended');
    expect([alive(marked), alive(bare)]).toEqual([true, true]);
    puppet.endAll();
    await until(() => !alive(marked) && !alive(bare), 'the helpers have ended');
  },
);

test('a puppet of the modern era: envelope in, resultType out, and a subscription that the test serves', async () => {
  const { client, puppet } = await start({ eras: ['modern'], cache: { ttlMs: 5, cacheScope: 'private' } });
  const params = enveloped();
  const resultType = 'complete';
  expect(await client.request('initialize', { protocolVersion: '2025-11-25' })).toMatchObject({
    error: { code: -32022, data: { supported: ['2026-07-28'], requested: '2025-11-25' } },
  });
  expect(await client.result('server/discover', params)).toMatchObject({
    resultType,
    supportedVersions: ['2026-07-28'],
    capabilities: { tools: { listChanged: true } },
    ttlMs: 5,
    _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'puppet' } },
  });
  expect(await client.result('tools/list', params)).toMatchObject({ resultType, cacheScope: 'private' });
  expect(
    textOf(await client.result('tools/call', { name: 'echo', arguments: { text: 'hi' }, ...params })),
  ).toBe('hi @7');
  expect(await client.request('ping', params)).toMatchObject({ error: { code: -32601 } });
  expect(await client.request('resources/read', { uri: 'no', ...params })).toMatchObject({
    error: { code: -32602 },
  });
  const newer = enveloped({ _meta: { 'io.modelcontextprotocol/protocolVersion': '2027-01-01' } });
  expect(await client.request('tools/list', newer)).toMatchObject({ error: { code: -32022 } });

  const notifications = { toolsListChanged: true, resourceSubscriptions: ['puppet://state'] };
  client.send({
    jsonrpc: '2.0',
    id: 'listen:0',
    method: 'subscriptions/listen',
    params: { notifications, ...params },
  });
  const _meta = { 'io.modelcontextprotocol/subscriptionId': 'listen:0' };
  const acknowledged = await client.next('notifications/subscriptions/acknowledged');
  expect(acknowledged.params).toEqual({ notifications, _meta });
  await puppet.do({ do: 'notify', method: 'notifications/tools/list_changed', params: { _meta } });
  await client.next('notifications/tools/list_changed');
  await puppet.do({ do: 'answer', id: 'listen:0', result: { resultType, _meta } });
  expect(await client.response('listen:0')).toMatchObject({ result: { _meta } });
  await puppet.caughtUp();
  expect(puppet.violations).toEqual([]);

  expect(await client.request('tools/list')).toMatchObject({ error: { code: -32602 } });
  client.notify('notifications/cancelled', { requestId: 'listen:0' });
  client.notify('notifications/cancelled', { requestId: 'unheard of' });
  client.notify('notifications/initialized');
  await puppet.received('notifications/initialized');
  await puppet.caughtUp();
  expect(puppet.violations).toEqual([
    'tools/list without its envelope',
    'cancelled "unheard of", which never came',
    'notifications/initialized in the modern era',
  ]);
});

test('a puppet of both eras is settled by its first message, which server/discover is not', async () => {
  const eras = ['legacy', 'modern'];
  const modern = await start({ eras });
  const params = enveloped();
  await modern.client.result('server/discover', params);
  expect(await modern.client.result('tools/list', params)).toHaveProperty('resultType');
  expect(await modern.client.request('initialize', {})).toMatchObject({ error: { code: -32022 } });

  const legacy = await start({ eras });
  await legacy.client.result('server/discover', params);
  await legacy.client.initialize();
  expect(await legacy.client.request('server/discover', params)).toMatchObject({ error: { code: -32601 } });
  expect(await legacy.client.result('tools/list', params)).not.toHaveProperty('resultType');
  await legacy.puppet.caughtUp();
  expect([...modern.puppet.violations, ...legacy.puppet.violations]).toEqual([]);

  // The trap: a notification that says nothing of its era is enough.
  const trapped = await start({ eras });
  trapped.client.notify('notifications/cancelled', { requestId: 1 });
  expect(await trapped.client.result('tools/list', params)).not.toHaveProperty('resultType');
});

test('a client that speaks modern puts the envelope into each of its messages, beside what it is given', async () => {
  const { client, puppet } = await start({ eras: ['modern'] });
  client.speakModern();
  expect(textOf(await client.callTool('echo', { text: 'hi' }))).toBe('hi @7');
  await client.request('tools/list', { _meta: { progressToken: 'mine' } }, 'last');
  client.notify('notifications/cancelled', { requestId: 'last' });
  const cancelled = await puppet.received('notifications/cancelled');
  expect(cancelled.params).toEqual(enveloped({ requestId: 'last' }));
  expect(puppet.messages[1]?.params).toEqual(enveloped({ _meta: { progressToken: 'mine' } }));
  await puppet.caughtUp();
  expect(puppet.violations).toEqual([]);
});

test('a puppet of the legacy era serves what comes in an envelope, as the SDK 1.x does', async () => {
  const { client, puppet } = await start();
  const params = enveloped();
  expect(await client.request('server/discover', params)).toMatchObject({ error: { code: -32601 } });
  expect(await client.result('tools/list', params)).not.toHaveProperty('resultType');
  await puppet.caughtUp();
  expect(puppet.violations).toEqual([]);
});

test('waits fail at once and say what was seen when nothing more can come', async () => {
  const { client, puppet } = await start();
  await client.initialize();
  const message = expect(client.next('no/such')).rejects.toThrow(/exit code 9.*no\/such.*protocolVersion/s);
  const report = expect(puppet.received('no/such')).rejects.toThrow(/puppet is gone.*no\/such.*initialize/s);
  await puppet.do({ do: 'exit', code: 9 });
  await Promise.all([message, report]);
});

test('arrivals are found from a position, before and after they come', async () => {
  const arrivals = new Arrivals<string>('a list');
  arrivals.push('a1');
  expect(await arrivals.find((item) => item.startsWith('a'), 'an a')).toBe(0);
  const later = arrivals.find((item) => item.startsWith('a'), 'an a', 1);
  arrivals.push('b');
  arrivals.push('a2');
  expect(await later).toBe(2);
  arrivals.end('over');
  await expect(arrivals.find((item) => item === 'c', 'a c')).rejects.toThrow('over: no a c in a list');
});

test('a project is written, saved atomically and removed from', () => {
  const project = tempProject({ 'src/a.txt': 'one' });
  const file = project.atomicWrite('src/a.txt', 'two');
  expect(existsSync(`${file}.saving`)).toBe(false);
  project.remove('src');
  expect(existsSync(project.path('src'))).toBe(false);
});

test('the python server speaks the protocol with nothing but the standard library', async () => {
  const client = RawClient.start([
    '/usr/bin/env',
    'python3',
    repositoryFile('fixtures/python-stdlib/server.py'),
  ]);
  expect(await client.initialize()).toMatchObject({ serverInfo: { name: 'python-stdlib' } });
  expect(textOf(await client.callTool('echo', { text: 'grüße' }))).toBe('grüße');
  expect(textOf(await client.callTool('version'))).toBe('1');
  expect(await client.callTool('echo')).toMatchObject({ isError: true });
  expect((await client.close()).code).toBe(0);
});
