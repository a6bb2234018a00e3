import { expect, test } from 'vitest';
import { Dev, GATED_BUILD } from './dev.ts';

test.each([
  {
    name: 'exits at its start',
    puppet: {
      atStart: [
        { do: 'stderr', text: 'no such port\n' },
        { do: 'exit', code: 3 },
      ],
    },
    says: /generation 2 ended before it had answered the handshake \(exit code 3\) \(puppet\.json\); generation 1 goes on/,
  },
  {
    name: 'dies of a signal',
    puppet: { atStart: [{ do: 'crash', signal: 'SIGSEGV' }] },
    says: /generation 2 ended before it had answered the handshake \(SIGSEGV\)/,
  },
  {
    name: 'never answers',
    puppet: { hold: [{ method: 'initialize' }] },
    says: /generation 2 was not ready within 1500 ms of the handshake .*; generation 1 goes on/,
  },
  {
    name: 'speaks another protocol version',
    puppet: { protocolVersion: '2024-11-05' },
    says: /generation 2 cannot take over: .*2024-11-05.*reconnect the client to use 2024-11-05/,
  },
  {
    name: 'cannot list its tools',
    puppet: { hold: [{ method: 'tools/list' }] },
    says: /generation 2 cannot take over: tools\/list failed: not today/,
  },
])(
  'a candidate that $name leaves the old generation serving, and the reason is said',
  async ({ name, puppet, says }) => {
    const dev = await Dev.connect({ args: name === 'never answers' ? ['--ready-timeout', '1500'] : [] });
    await dev.tookOver(1);
    dev.saveServer(puppet);
    const candidate = await dev.puppet(2);
    if (name === 'cannot list its tools') {
      const { id } = await candidate.event('held');
      await candidate.do({ do: 'answer', id, error: { code: -32603, message: 'not today' } });
    }
    await dev.client.stderrLine(says);
    await candidate.gone;
    expect(await dev.serving()).toBe(1);
    dev.saveServer({});
    await dev.tookOver(3);
    expect(await dev.serving()).toBe(3);
    await dev.expectStarted(3);
  },
);

test('a syntax error does not take the server down, and its mending is served', async () => {
  const dev = await Dev.connect();
  await dev.tookOver(1);
  dev.project.write('server.mjs', 'await import(;\n');
  await dev.client.stderrLine(/generation 2 ended before it had answered the handshake \(exit code 1\)/);
  await dev.client.stderrLine(/SyntaxError/);
  expect(await dev.serving()).toBe(1);
  dev.project.write('server.mjs', `await import(${JSON.stringify(Dev.puppetFile)});\n`);
  await dev.tookOver(3);
  expect(await dev.serving()).toBe(3);
});

test('a server that crashes is replaced, and its requests are failed', async () => {
  const dev = await Dev.connect();
  const { client } = dev;
  const first = await dev.puppet(1);
  await first.do({ do: 'stderr', text: 'the last words\n' });
  const calls = [client.callTool('slow'), client.request('x/held')];
  await first.event('held');
  await first.do({ do: 'hold', method: 'x/held' });
  await first.do({ do: 'exit', code: 7 });
  expect(await calls[0]).toMatchObject({
    isError: true,
    content: [{ text: expect.stringContaining('mcp-dev: generation 1 ended by itself (exit code 7)') }],
    _meta: {
      'mcp-dev': {
        reason: 'server_crashed',
        generation: 1,
        mayHaveExecuted: true,
        retryable: false,
        stderr: expect.stringContaining('the last words'),
      },
    },
  });
  await client.stderrLine(/generation 1 ended by itself \(exit code 7\); it is started again in 0\.5 s/);
  expect(await dev.serving()).toBe(2);
  const told = client.received.all.filter(({ method }) => method === 'notifications/tools/list_changed');
  expect(told).toHaveLength(1);
});

test('crashes in a row are followed by longer and longer waits, which a save ends', async () => {
  const dev = await Dev.connect();
  await dev.tookOver(1);
  const start = performance.now();
  await (await dev.puppet(1)).do({ do: 'crash', signal: 'SIGABRT' });
  await dev.client.stderrLine(/generation 1 ended by itself \(SIGABRT\); it is started again in 0\.5 s/);
  const second = await dev.puppet(2);
  expect(performance.now() - start).toBeGreaterThan(450);
  await dev.tookOver(2);
  await second.do({ do: 'exit', code: 0 });
  await dev.client.stderrLine(/generation 2 ended by itself \(exit code 0\); it is started again in 1 s/);
  dev.save();
  expect(await dev.tookOver(3)).toContain('(src/a.js;');
  await (await dev.puppet(3)).do({ do: 'crash' });
  await dev.client.stderrLine(/generation 3 ended by itself \(SIGKILL\); it is started again in 0\.5 s/);
  await dev.tookOver(4);
});

test('SIGUSR2 ends the wait after a crash too', async () => {
  const dev = await Dev.connect();
  await dev.tookOver(1);
  for (const generation of [1, 2]) {
    await (await dev.puppet(generation)).do({ do: 'crash' });
    if (generation === 1) await dev.tookOver(2);
  }
  await dev.client.stderrLine(/again in 1 s/);
  dev.client.kill('SIGUSR2');
  expect(await dev.tookOver(3)).toContain('(SIGUSR2;');
});

test('requests that come while a crashed server waits for its next start are held', async () => {
  const dev = await Dev.connect();
  await (await dev.puppet(1)).do({ do: 'crash' });
  await dev.client.stderrLine(/started again in 0\.5 s/);
  expect(await dev.client.result('ping')).toEqual({});
  expect(await dev.serving()).toBe(2);
});

test('a crash while the next build runs leaves the replacement to that build', async () => {
  const dev = await Dev.connect({ args: ['--build', GATED_BUILD] });
  await dev.tookOver(1);
  await dev.saveAndBuild();
  const call = dev.serving();
  await (await dev.puppet(1)).do({ do: 'crash' });
  await dev.client.stderrLine(/generation 1 ended by itself/);
  dev.openGate();
  expect(await call).toBe(2);
  await dev.expectStarted(2);
});

test('a crash while a build runs that fails is made good with what was built before', async () => {
  const dev = await Dev.connect({
    args: ['--build', `${GATED_BUILD}; exit $(cat src/code.js)`],
    files: { 'src/code.js': '0' },
  });
  await dev.tookOver(1);
  await dev.saveAndBuild('src/code.js', '1');
  const call = dev.serving();
  await (await dev.puppet(1)).do({ do: 'crash' });
  await dev.client.stderrLine(/generation 1 ended by itself/);
  dev.openGate();
  expect(await call).toBe(2);
  await dev.client.stderrLine(/the build failed/);
});
