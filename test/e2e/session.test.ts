import { expect, test } from 'vitest';
import type { Message } from '../kit/messages.ts';
import type { Puppet } from '../kit/puppet-hub.ts';
import { Dev, GATED_BUILD } from './dev.ts';

/** The methods that a generation got, in order. */
async function methodsOf(puppet: Puppet): Promise<(string | undefined)[]> {
  await puppet.caughtUp();
  return puppet.messages.map(({ method }) => method);
}

test('each generation gets the whole handshake with the negotiated version', async () => {
  const dev = await Dev.start({ puppet: { protocolVersion: '2025-03-26' } });
  const clientInfo = { name: 'test', version: '3', title: 'grüße' };
  const result = await dev.client.initialize({
    protocolVersion: '2025-11-25',
    capabilities: { roots: { listChanged: true }, elicitation: {} },
    clientInfo,
  });
  expect(result.protocolVersion).toBe('2025-03-26');
  dev.saveServer({});
  await dev.tookOver(2);
  const second = await dev.puppet(2);
  expect((await second.received('initialize')).params).toEqual({
    protocolVersion: '2025-03-26',
    capabilities: { roots: { listChanged: true }, elicitation: {} },
    clientInfo,
  });
  expect((await methodsOf(second)).slice(0, 3)).toEqual([
    'initialize',
    'notifications/initialized',
    'tools/list',
  ]);
  expect(second.violations).toEqual([]);
});

test('the client sees the capabilities of the server, and tools, prompts and resources with listChanged', async () => {
  const dev = await Dev.start({
    puppet: { capabilities: { tools: {}, logging: {}, experimental: { x: { y: 1 } } } },
  });
  expect((await dev.client.initialize()).capabilities).toEqual({
    tools: { listChanged: true },
    prompts: { listChanged: true },
    resources: { listChanged: true },
    logging: {},
    experimental: { x: { y: 1 } },
  });
  expect(await dev.client.result('prompts/list')).toEqual({ prompts: [] });
  expect(await dev.client.result('resources/templates/list')).toEqual({ resourceTemplates: [] });
  expect(await dev.client.request('prompts/get', { name: 'x' })).toMatchObject({ error: { code: -32602 } });
  expect(await dev.client.request('resources/read', { uri: 'x:' })).toMatchObject({
    error: { code: -32002 },
  });
  dev.saveServer({});
  await dev.client.next('notifications/prompts/list_changed');
  expect(await dev.client.result('prompts/list')).toMatchObject({ prompts: [{ name: 'greet' }] });
});

test('the log level and the subscriptions are brought over, and subscribed resources are announced', async () => {
  const dev = await Dev.connect();
  const { client } = dev;
  await client.result('logging/setLevel', { level: 'warning' });
  for (const uri of ['puppet://state', 'puppet://item/1'])
    await client.result('resources/subscribe', { uri });
  await client.result('resources/unsubscribe', { uri: 'puppet://item/1' });
  const second = await dev.reload(2);
  expect((await second.received('logging/setLevel')).params).toEqual({ level: 'warning' });
  await second.caughtUp();
  const subscribed = second.messages.filter(({ method }) => method === 'resources/subscribe');
  expect(subscribed.map(({ params }) => params)).toEqual([{ uri: 'puppet://state' }]);
  await client.next('notifications/tools/list_changed');
  expect((await client.next('notifications/resources/updated')).params).toEqual({ uri: 'puppet://state' });
  expect(second.violations).toEqual([]);
});

test('requests of two generations with the same id are answered each to its own', async () => {
  const dev = await Dev.connect();
  const { client } = dev;
  const first = await dev.puppet(1);
  const call = client.callTool('slow');
  await first.event('held');
  await first.do({ do: 'ask', id: 0, method: 'roots/list' });
  const one = await client.next('roots/list');
  const second = await dev.reload(2);
  await second.do({ do: 'ask', id: 0, method: 'roots/list' });
  const two = await client.next('roots/list');
  expect(one.id).not.toBe(two.id);
  client.send({ jsonrpc: '2.0', id: two.id ?? null, result: { roots: [{ uri: 'file:///two' }] } });
  client.send({ jsonrpc: '2.0', id: one.id ?? null, result: { roots: [{ uri: 'file:///one' }] } });
  const answers = await Promise.all([first.event('answered'), second.event('answered')]);
  expect(answers.map(({ message }) => message)).toEqual([
    { jsonrpc: '2.0', id: 0, result: { roots: [{ uri: 'file:///one' }] } },
    { jsonrpc: '2.0', id: 0, result: { roots: [{ uri: 'file:///two' }] } },
  ]);
  await first.do({ do: 'release' });
  await call;
});

test('the progress of what a server asked finds the generation and the token that it knows', async () => {
  const dev = await Dev.connect();
  const first = await dev.puppet(1);
  const params = { _meta: { progressToken: 0 }, messages: [] };
  await first.do({ do: 'ask', id: 0, method: 'sampling/createMessage', params });
  const asked = await dev.client.next('sampling/createMessage');
  const { progressToken } = { ...asked.params }._meta as { progressToken: unknown };
  expect(progressToken).not.toBe(0);
  dev.client.notify('notifications/progress', { progressToken, progress: 1 });
  expect((await first.received('notifications/progress')).params).toEqual({ progressToken: 0, progress: 1 });
});

test('a candidate may ask the client before it answers', async () => {
  const dev = await Dev.connect();
  dev.client.answer('roots/list', () => ({ roots: [] }));
  dev.saveServer({ hold: [{ method: 'tools/list' }] });
  const second = await dev.puppet(2);
  const { id } = await second.event('held');
  await second.do({ do: 'ask', id: 7, method: 'roots/list' });
  expect((await second.event('answered')).id).toBe(7);
  await second.do({ do: 'answer', id, result: { tools: [] } });
  await dev.tookOver(2);
});

test('what a candidate logs waits until it has taken over, and its list_changed is dropped', async () => {
  const dev = await Dev.connect();
  dev.saveServer({ hold: [{ method: 'tools/list' }] });
  const second = await dev.puppet(2);
  const { id } = await second.event('held');
  await second.do({
    do: 'notify',
    method: 'notifications/message',
    params: { level: 'info', data: 'hello' },
  });
  await second.do({ do: 'notify', method: 'notifications/tools/list_changed' });
  await second.do({ do: 'answer', id, result: { tools: [] } });
  await dev.client.next('notifications/message');
  await dev.serving();
  expect(dev.client.received.all.flatMap(({ method }) => method ?? [])).toEqual([
    'notifications/tools/list_changed',
    'notifications/message',
  ]);
});

test('what a generation asked is cancelled when it is gone, and a late answer reaches nobody', async () => {
  const dev = await Dev.connect();
  const { client } = dev;
  const first = await dev.puppet(1);
  await first.do({ do: 'ask', id: 5, method: 'elicitation/create', params: { message: 'sure?' } });
  const asked = await client.next('elicitation/create');
  await first.do({ do: 'crash' });
  expect((await client.next('notifications/cancelled')).params).toMatchObject({ requestId: asked.id });
  await dev.tookOver(2);
  const second = await dev.puppet(2);
  client.send({ jsonrpc: '2.0', id: asked.id ?? null, result: { action: 'accept' } });
  await client.result('ping');
  await second.caughtUp();
  expect(second.messages.filter(({ method }: Message) => method === undefined)).toEqual([]);
});

test('what a server withdraws is withdrawn at the client by the id that the client knows', async () => {
  const dev = await Dev.connect();
  const first = await dev.puppet(1);
  await first.do({ do: 'ask', id: 'x', method: 'elicitation/create' });
  const asked = await dev.client.next('elicitation/create');
  await first.do({ do: 'notify', method: 'notifications/cancelled', params: { requestId: 'x' } });
  expect((await dev.client.next('notifications/cancelled')).params).toEqual({ requestId: asked.id });
});

test('a cancellation reaches the generation that has the request', async () => {
  const dev = await Dev.connect();
  const first = await dev.puppet(1);
  dev.client.send({ jsonrpc: '2.0', id: 'c', method: 'tools/call', params: { name: 'slow', arguments: {} } });
  await first.event('held');
  await dev.reload(2);
  dev.client.notify('notifications/cancelled', { requestId: 'c' });
  await first.received('notifications/cancelled');
  // It has nothing left to do.
  await first.gone;
  expect(await dev.serving()).toBe(2);
  expect(dev.client.received.all.filter(({ id }) => id === 'c')).toEqual([]);
});

test('what a server answers to a request that was cancelled reaches nobody', async () => {
  const dev = await Dev.connect();
  const first = await dev.puppet(1);
  dev.client.send({ jsonrpc: '2.0', id: 'c', method: 'tools/call', params: { name: 'slow', arguments: {} } });
  await first.event('held');
  dev.client.notify('notifications/cancelled', { requestId: 'c' });
  await first.received('notifications/cancelled');
  await first.do({ do: 'release' });
  expect(await dev.serving()).toBe(1);
  expect(dev.client.received.all.filter(({ id }) => id === 'c')).toEqual([]);
  // It was expected, and is no reason to complain of the server.
  expect(dev.client.stderr.all.filter((line) => line.includes('which nobody waits for'))).toEqual([]);
});

test('a request that is cancelled while it is held never reaches a server', async () => {
  const dev = await Dev.connect({ args: ['--build', GATED_BUILD] });
  await dev.tookOver(1);
  await dev.saveAndBuild();
  dev.client.send({ jsonrpc: '2.0', id: 'c', method: 'tools/call', params: { name: 'slow', arguments: {} } });
  dev.client.notify('notifications/cancelled', { requestId: 'c' });
  const call = dev.serving();
  dev.openGate();
  expect(await call).toBe(2);
  await Promise.all([(await dev.puppet(1)).gone, (await dev.puppet(2)).caughtUp()]);
  for (const puppet of dev.hub.puppets.all) {
    const seen = puppet.messages.filter(({ id, params }) => id === 'c' || params?.requestId === 'c');
    expect(seen).toEqual([]);
  }
  expect(dev.client.received.all.filter(({ id }) => id === 'c')).toEqual([]);
});

test('a ping is answered while the server is down', async () => {
  const dev = await Dev.connect({ args: ['--build', GATED_BUILD] });
  await dev.tookOver(1);
  await dev.saveAndBuild();
  await (await dev.puppet(1)).do({ do: 'crash' });
  await dev.client.stderrLine(/ended by itself/);
  expect(await dev.client.result('ping')).toEqual({});
  dev.openGate();
  await dev.tookOver(2);
});

test('requests are held no longer than --hold after the change', async () => {
  const dev = await Dev.connect({ args: ['--hold', '300', '--build', GATED_BUILD] });
  await dev.tookOver(1);
  await dev.saveAndBuild();
  // The old generation answers, late; then it is gone, and nobody does.
  expect(await dev.serving()).toBe(1);
  await (await dev.puppet(1)).do({ do: 'crash' });
  await dev.client.stderrLine(/ended by itself/);
  expect(await dev.client.callTool('echo')).toMatchObject({
    isError: true,
    content: [{ type: 'text', text: expect.stringContaining('mcp-dev: ') }],
    _meta: { 'mcp-dev': { reason: 'hold_timeout', mayHaveExecuted: false, retryable: true } },
  });
  expect(await dev.client.request('resources/read', { uri: 'puppet://state' })).toMatchObject({
    error: {
      code: -32603,
      message: expect.stringContaining('mcp-dev: '),
      data: { 'mcp-dev': { reason: 'hold_timeout', mayHaveExecuted: false, retryable: true } },
    },
  });
  dev.openGate();
  await dev.tookOver(2);
  expect(await dev.serving()).toBe(2);
});

test('a call of a tool whose output schema changed waits until the client has read it', async () => {
  const dev = await Dev.connect();
  const tool = { name: 'out', inputSchema: { type: 'object' }, result: { content: [] } };
  dev.saveServer({ moreTools: [{ ...tool, outputSchema: { type: 'object' } }] });
  await dev.tookOver(2);
  const changed = { ...tool, outputSchema: { type: 'object', properties: { x: {} } } };
  dev.saveServer({ moreTools: [changed], hold: [{ method: 'tools/list' }] });
  const third = await dev.puppet(3);
  await third.event('held');
  dev.client.send({ jsonrpc: '2.0', id: 'call', method: 'tools/call', params: { name: 'out' } });
  // What was sent before this was answered is held.
  await dev.client.result('ping');
  await third.do({ do: 'release' });
  await dev.tookOver(3);
  dev.client.send({ jsonrpc: '2.0', id: 'list', method: 'tools/list' });
  await Promise.all([dev.client.response('call'), dev.client.response('list')]);
  const answers = dev.client.received.all.flatMap(({ id }) => (typeof id === 'string' ? [id] : []));
  expect(answers).toEqual(['list', 'call']);
});
