import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { textOf } from '../kit/messages.ts';
import { until } from '../kit/wait.ts';
import { Dev } from './dev.ts';

const extra = { name: 'extra', inputSchema: { type: 'object' } };

test('a save swaps the process and keeps the session', async () => {
  const dev = await Dev.connect();
  expect(await dev.serving()).toBe(1);
  const first = await dev.puppet(1);
  const second = await dev.reload(2);
  expect(await dev.serving()).toBe(2);
  expect(second.pid).not.toBe(first.pid);
  await first.gone;
  expect([first.violations, second.violations, dev.client.garbage]).toEqual([[], [], []]);
});

test('one line tells of the trigger, the phases and the named differences', async () => {
  const dev = await Dev.connect({ args: ['--build', 'true'] });
  expect(await dev.tookOver(1)).toMatch(/started \(first start; (build \d+, )?start \d+, all \d+ ms\)$/);
  dev.saveServer({ moreTools: [extra] });
  expect(await dev.tookOver(2)).toMatch(
    /^mcp-dev generation 2 took over \(puppet\.json; (wait \d+, )?(build \d+, )?start \d+, all \d+ ms\): \+tool extra$/,
  );
  dev.saveServer({ tools: [{ name: 'echo', inputSchema: { type: 'object' } }, extra] });
  expect(await dev.tookOver(3)).toMatch(/: ~tool echo description inputSchema, -tool add, -tool slow$/);
});

test('the client is told after each hand-over, and before anything that the new generation answers', async () => {
  const dev = await Dev.connect();
  const { client } = dev;
  for (const generation of [2, 3]) {
    const from = client.received.all.length;
    dev.save();
    while ((await dev.serving()) !== generation);
    const seen = client.received.all.slice(from);
    const told = seen.findIndex(({ method }) => method === 'notifications/tools/list_changed');
    const answer = seen.findIndex(({ result }) => JSON.stringify(result ?? '').includes(`@${generation}`));
    expect(told).toBeGreaterThanOrEqual(0);
    expect(told).toBeLessThan(answer);
  }
});

test('prompts and resources are only announced when they differ', async () => {
  const dev = await Dev.connect();
  // The first lists have to be known, or nothing could be compared.
  await (await dev.puppet(1)).received('resources/templates/list');
  await dev.reload(2);
  await dev.client.next('notifications/tools/list_changed');
  dev.saveServer({ prompts: [] });
  await dev.tookOver(3);
  await dev.client.next('notifications/prompts/list_changed');
  const methods = dev.client.received.all.flatMap(({ method }) => method ?? []);
  expect(methods).toEqual([
    'notifications/tools/list_changed',
    'notifications/tools/list_changed',
    'notifications/prompts/list_changed',
  ]);
});

test('lists other than that of the tools keep the hand-over waiting for a second at most', async () => {
  const dev = await Dev.connect();
  await (await dev.puppet(1)).received('resources/templates/list');
  dev.saveServer({ hold: [{ method: 'prompts/list' }] });
  expect(await dev.tookOver(2)).toContain('no differences');
  // It is not known whether they differ, so the client is told to look.
  await dev.client.next('notifications/prompts/list_changed');
  expect(await dev.serving()).toBe(2);
});

test('requests that come during a reload wait for it, and keep their order', async () => {
  const dev = await Dev.connect();
  dev.saveServer({ hold: [{ method: 'tools/list' }] });
  const candidate = await dev.puppet(2);
  // It was asked for its lists: the hand-over cannot come before they are released.
  await candidate.event('held');
  const calls = [1, 2, 3, 4, 5].map((n) => dev.client.callTool('echo', { text: `call ${n}` }));
  await candidate.do({ do: 'release', method: 'tools/list' });
  const texts = (await Promise.all(calls)).map(textOf);
  expect(texts).toEqual([1, 2, 3, 4, 5].map((n) => `call ${n} @2`));
  await candidate.caughtUp();
  const received = candidate.messages.filter(({ method }) => method === 'tools/call');
  expect(received.map(({ params }) => params?.arguments)).toEqual(
    [1, 2, 3, 4, 5].map((n) => ({ text: `call ${n}` })),
  );
});

test('a stream of calls over five reloads is answered call by call, each by one generation and once', async () => {
  const dev = await Dev.connect();
  const calls: Promise<number>[] = [];
  const stream = setInterval(() => calls.push(dev.serving()), 5);
  onTestFinished(() => clearInterval(stream));
  for (const generation of [2, 3, 4, 5, 6]) await dev.reload(generation);
  await until(() => calls.length > 100, 'a hundred calls are sent');
  clearInterval(stream);
  const generations = await Promise.all(calls);
  expect(generations).toEqual(generations.toSorted((a, b) => a - b));
  expect([generations.at(0), generations.at(-1)]).toEqual([1, 6]);
  const ids = dev.client.received.all.flatMap(({ id }) => id ?? []);
  expect(new Set(ids).size).toBe(ids.length);
});

test('a call in flight is finished by the generation that got it, with progress and log messages', async () => {
  const dev = await Dev.connect();
  const { client } = dev;
  const first = await dev.puppet(1);
  client.send({
    jsonrpc: '2.0',
    id: 'long',
    method: 'tools/call',
    params: { name: 'slow', arguments: {}, _meta: { progressToken: 'p' } },
  });
  await first.event('held');
  await dev.reload(2);
  expect(await dev.serving()).toBe(2);
  await first.do({
    do: 'notify',
    method: 'notifications/progress',
    params: { progressToken: 'p', progress: 1 },
  });
  await client.next('notifications/progress');
  await first.do({ do: 'notify', method: 'notifications/message', params: { level: 'info', data: 'old' } });
  await client.next('notifications/message');
  await first.do({ do: 'release', method: 'tools/call', tool: 'slow' });
  expect(textOf((await client.response('long')).result ?? {})).toBe('slow @1');
  await first.gone;
  expect(await dev.serving()).toBe(2);
});

test('what a draining generation announces is not passed on', async () => {
  const dev = await Dev.connect();
  const first = await dev.puppet(1);
  const call = dev.client.callTool('slow');
  await first.event('held');
  await dev.reload(2);
  await dev.client.next('notifications/tools/list_changed');
  await first.do({ do: 'notify', method: 'notifications/tools/list_changed' });
  await first.do({
    do: 'notify',
    method: 'notifications/resources/updated',
    params: { uri: 'puppet://state' },
  });
  await first.do({ do: 'release' });
  await call;
  const methods = dev.client.received.all.flatMap(({ method }) => method ?? []);
  expect(methods).toEqual(['notifications/tools/list_changed']);
});

test('a call that outlives --drain is failed, with all that a script needs to know', async () => {
  const dev = await Dev.connect({ args: ['--drain', '50'] });
  const call = dev.client.callTool('slow');
  await (await dev.puppet(1)).event('held');
  dev.save();
  expect(await call).toMatchObject({
    isError: true,
    content: [{ type: 'text', text: expect.stringContaining('mcp-dev: generation 1 was replaced') }],
    _meta: {
      'mcp-dev': { reason: 'server_restarted', generation: 1, mayHaveExecuted: true, retryable: false },
    },
  });
});

test('at most three generations drain at a time', async () => {
  const dev = await Dev.connect();
  const calls = [];
  for (const generation of [1, 2, 3, 4, 5]) {
    calls.push(dev.client.callTool('slow'));
    await (await dev.puppet(generation)).event('held');
    if (generation < 5) await dev.reload(generation + 1);
  }
  expect(await calls[0]).toMatchObject({
    isError: true,
    _meta: { 'mcp-dev': { reason: 'server_restarted' } },
  });
  await (await dev.puppet(1)).gone;
  for (const puppet of dev.hub.puppets.all.slice(1)) await puppet.do({ do: 'release' });
  expect((await Promise.all(calls.slice(1))).map(textOf)).toEqual([
    'slow @2',
    'slow @3',
    'slow @4',
    'slow @5',
  ]);
});

test('a question that waits for a person gives a draining generation the time for it', async () => {
  const dev = await Dev.connect({ args: ['--drain', '200'] });
  const { client } = dev;
  const [first, call] = [await dev.puppet(1), client.callTool('slow')];
  await first.event('held');
  await first.do({ do: 'ask', id: 'sure', method: 'elicitation/create', params: { message: 'sure?' } });
  const { id = null } = await client.next('elicitation/create');
  // The second one drains without a question, and for longer than the first one has by then.
  const second = await dev.reload(2);
  const other = client.callTool('slow');
  await second.event('held');
  await dev.reload(3);
  expect(await other).toMatchObject({ isError: true });
  client.send({ jsonrpc: '2.0', id, result: { action: 'accept' } });
  await first.event('answered');
  await first.do({ do: 'release' });
  expect(textOf(await call)).toBe('slow @1');
});

test('SIGUSR2 reloads, and several at once are one reload', async () => {
  const dev = await Dev.connect();
  await dev.tookOver(1);
  for (let n = 0; n < 3; n++) dev.client.kill('SIGUSR2');
  expect(await dev.tookOver(2)).toContain('took over (SIGUSR2;');
  expect(await dev.serving()).toBe(2);
  await dev.reload(3);
  await dev.expectStarted(3);
});

test('a change of the env file reloads with the new value; a variable of the client wins', async () => {
  const dev = await Dev.connect({
    args: ['--env-file', 'dev.variables', '--build', 'echo "$PUPPET_X $PUPPET_Y" > built.txt'],
    files: { 'dev.variables': 'PUPPET_X=1\nPUPPET_Y=file\n' },
    env: { PUPPET_Y: 'client' },
  });
  expect((await dev.puppet(1)).started.env).toMatchObject({ PUPPET_X: '1', PUPPET_Y: 'client' });
  dev.project.write('dev.variables', 'PUPPET_X=2\nPUPPET_Y=file\n');
  await dev.tookOver(2);
  expect((await dev.puppet(2)).started.env).toMatchObject({
    PUPPET_X: '2',
    PUPPET_Y: 'client',
    MCP_DEV: '1',
    MCP_DEV_GENERATION: '2',
  });
  expect(readFileSync(dev.project.path('built.txt'), 'utf8')).toBe('2 client\n');
});
