import { expect, onTestFinished, test } from 'vitest';
import { serverTools } from '../kit/messages.ts';
import { alive, processesOf } from '../kit/processes.ts';
import { until } from '../kit/wait.ts';
import { Dev } from './dev.ts';

/** Every process of the session, those that hide too. */
function left(dev: Dev): number[] {
  return processesOf(`PUPPET_SOCKET=${dev.hub.socket}`).filter((pid) => pid !== process.pid);
}

test.each([
  { by: 'the end of stdin', signal: undefined, code: 0 },
  { by: 'SIGINT', signal: 'SIGINT', code: 130 },
  { by: 'SIGTERM', signal: 'SIGTERM', code: 143 },
  { by: 'SIGHUP', signal: 'SIGHUP', code: 129 },
] as const)('$by ends the session with everything in it, and exit code $code', async ({ signal, code }) => {
  const dev = await Dev.connect();
  // One drains, one serves, one starts; each has left something behind.
  const first = await dev.puppet(1);
  const bare = [await first.fork('setsid', { bare: true }), await first.fork('double', { stubborn: true })];
  dev.client.send({ jsonrpc: '2.0', id: 'c', method: 'tools/call', params: { name: 'slow', arguments: {} } });
  await first.event('held');
  const second = await dev.reload(2);
  await second.fork('group', { pipes: true });
  await second.do({ do: 'ignore-signals' });
  await second.do({ do: 'ignore-stdin-end' });
  dev.saveServer({ hold: [{ method: 'initialize' }] });
  await (await dev.puppet(3)).event('held');
  const exit = signal === undefined ? dev.client.close() : dev.client.exit();
  if (signal !== undefined) dev.client.kill(signal);
  expect(await exit).toEqual({ code, signal: null });
  expect([left(dev), bare.filter(alive)]).toEqual([[], []]);
});

test('a build that runs ends with the session', async () => {
  const dev = await Dev.start({ args: ['--build', 'sleep 300 & sleep 300'] });
  dev.client.send('{"jsonrpc":"2.0","id":0,"method":"ping"}\n');
  await until(() => left(dev).length >= 4, 'the build runs');
  expect(await dev.client.close()).toEqual({ code: 0, signal: null });
  expect(left(dev)).toEqual([]);
});

test('a server that ends with its stdin is given the time to do so', async () => {
  const dev = await Dev.connect();
  const first = await dev.puppet(1);
  expect(await dev.client.close()).toEqual({ code: 0, signal: null });
  await first.gone;
  expect(first.events.all.flatMap(({ event, name }) => (event === 'signal' ? [name] : []))).toEqual([]);
});

test('answers that are on their way when stdin ends still come', async () => {
  const dev = await Dev.connect();
  dev.client.send({ jsonrpc: '2.0', id: 'last', method: 'tools/list' });
  const exit = dev.client.close();
  const { tools } = (await dev.client.response('last')).result as { tools: { name: string }[] };
  expect(serverTools(tools)).toEqual(['echo', 'add', 'slow']);
  expect(await exit).toEqual({ code: 0, signal: null });
});

test('the end of stdin before any message is explained', async () => {
  const dev = await Dev.start();
  expect(await dev.client.close()).toEqual({ code: 2, signal: null });
  const lines = dev.client.stderr.all.filter((line) => line.includes('--terminal'));
  expect(lines).toHaveLength(1);
  expect(dev.client.received.all).toEqual([]);
  expect(left(dev)).toEqual([]);
});

test('a second SIGINT does not wait any more', async () => {
  const dev = await Dev.connect();
  const first = await dev.puppet(1);
  const helper = await first.fork('setsid', { stubborn: true, bare: true });
  await first.do({ do: 'ignore-signals' });
  await first.do({ do: 'ignore-stdin-end' });
  dev.client.kill('SIGINT');
  await first.event('stdin-end');
  const second = performance.now();
  dev.client.kill('SIGINT');
  expect(await dev.client.exit()).toEqual({ code: 130, signal: null });
  expect(performance.now() - second).toBeLessThan(1200);
  await until(() => !alive(first.pid) && !alive(helper), 'what it started has ended');
});

test('a client that closes stdin and sends SIGTERM at once leaves the server its half second', async () => {
  const dev = await Dev.connect();
  const first = await dev.puppet(1);
  await first.do({ do: 'ignore-stdin-end' });
  const exit = dev.client.close();
  dev.client.kill('SIGTERM');
  await exit;
  await first.gone;
  // It was asked, not killed.
  expect(first.events.all.map(({ event, name }) => name ?? event)).toContain('SIGTERM');
  expect(left(dev)).toEqual([]);
});

test('a client that ends without a word is noticed by its closed pipes', async () => {
  // Two lines are read, the first of them in the handshake.
  const dev = await Dev.connect({ wrapper: ['bash', '-c', 'exec "$0" "$@" > >(exec sed -u 2q)'] });
  await dev.client.result('ping');
  const first = await dev.puppet(1);
  await first.received('resources/templates/list');
  // The reader may take a moment to end, and until then it still has room.
  const writing = setInterval(
    () => first.do({ do: 'notify', method: 'x/y' }).catch(() => clearInterval(writing)),
    50,
  );
  onTestFinished(() => clearInterval(writing));
  expect(await dev.client.exit()).toEqual({ code: 0, signal: null });
  expect(left(dev)).toEqual([]);
});

test('a closed stderr takes nothing but the words', async () => {
  const dev = await Dev.connect({ wrapper: ['bash', '-c', 'exec "$0" "$@" 2> >(exec true)'] });
  await (await dev.puppet(1)).do({ do: 'stderr', text: 'into the void\n'.repeat(100) });
  dev.save();
  const second = await dev.puppet(2);
  await second.received('notifications/initialized');
  await dev.client.next('notifications/tools/list_changed');
  expect(await dev.serving()).toBe(2);
  expect(await dev.client.close()).toEqual({ code: 0, signal: null });
});

test('when mcp-dev is killed outright, its servers see the end of their stdin', async () => {
  const dev = await Dev.connect();
  const first = await dev.puppet(1);
  const call = dev.client.callTool('slow').catch(() => undefined);
  await first.event('held');
  const second = await dev.reload(2);
  dev.client.kill('SIGKILL');
  await Promise.all([first, second].map((puppet) => puppet.event('stdin-end')));
  await until(() => left(dev).length === 0, 'both have ended');
  await call;
});

test('mcp-dev that is started by itself refuses', async () => {
  const dev = await Dev.start({ env: { MCP_DEV: '1' } });
  expect(await dev.client.exit()).toEqual({ code: 2, signal: null });
  expect(dev.client.stderr.all).toHaveLength(1);
  expect(dev.client.stderr.all[0]).toMatch(/^mcp-dev: .*started by mcp-dev/);
  expect(dev.started).toBe(0);
});
