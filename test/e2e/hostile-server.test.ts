import { expect, test } from 'vitest';
import { alive } from '../kit/processes.ts';
import { until } from '../kit/wait.ts';
import { Dev } from './dev.ts';

test.each(['stdin', 'stdout'])(
  'a server that closes its %s and lives on is replaced like one that crashed',
  async (pipe) => {
    const dev = await Dev.connect({ args: ['--kill-timeout', '100'] });
    const first = await dev.puppet(1);
    await dev.tookOver(1);
    const call = dev.client.callTool('slow');
    await first.event('held');
    await first.do({ do: 'ignore-signals' });
    await first.do({ do: 'ignore-stdin-end' });
    await first.do({ do: `close-${pipe}` });
    // What is written to a closed pipe tells that it is closed.
    dev.client.notify('notifications/x');
    const why = `generation 1 closed its ${pipe} and ran on`;
    expect(await call).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining(`mcp-dev: ${why}`) }],
      _meta: { 'mcp-dev': { reason: 'server_crashed', generation: 1, mayHaveExecuted: true } },
    });
    await dev.client.stderrLine(new RegExp(`${why}; it is started again in 0\\.5 s`));
    expect(await dev.serving()).toBe(2);
    await until(() => !alive(first.pid), 'it was ended, though it did not want to');
  },
);

test('a candidate that closes its stdout and lives on has failed at once', async () => {
  const dev = await Dev.connect();
  await dev.tookOver(1);
  dev.saveServer({ hold: [{ method: 'initialize' }], ignoreStdinEnd: true });
  const second = await dev.puppet(2);
  await second.event('held');
  await second.do({ do: 'close-stdout' });
  await dev.client.stderrLine(
    /generation 2 closed its stdout and ran on before it had answered the handshake .*; generation 1 goes on/,
  );
  expect(await dev.serving()).toBe(1);
});
