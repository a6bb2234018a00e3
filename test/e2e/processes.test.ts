import { expect, test } from 'vitest';
import { alive } from '../kit/processes.ts';
import { until } from '../kit/wait.ts';
import { Dev } from './dev.ts';

test.each(['group', 'setsid', 'double'] as const)(
  'what a server left behind (%s) is gone after a swap',
  async (kind) => {
    const dev = await Dev.connect({ args: ['--kill-timeout', '300'] });
    const first = await dev.puppet(1);
    const helpers = [
      await first.fork(kind),
      await first.fork(kind, { stubborn: true }),
      await first.fork(kind, { pipes: true }),
    ];
    await dev.reload(2);
    await first.gone;
    await until(() => !helpers.some(alive), 'the helpers have ended');
    expect(alive(first.pid)).toBe(false);
    expect(await dev.serving()).toBe(2);
  },
);

test('what a crashed server left behind is gone', async () => {
  const dev = await Dev.connect();
  const first = await dev.puppet(1);
  const helpers = [await first.fork('group'), await first.fork('double', { pipes: true })];
  await first.do({ do: 'crash' });
  await until(() => !helpers.some(alive), 'the helpers have ended');
  await dev.tookOver(2);
});

test('what a failed candidate left behind is gone', async () => {
  const dev = await Dev.connect();
  dev.saveServer({ atStart: [{ do: 'fork', kind: 'setsid' }], hold: [{ method: 'tools/list' }] });
  const second = await dev.puppet(2);
  const helper = Number((await second.event('forked')).pid);
  const { id } = await second.event('held');
  await second.do({ do: 'answer', id, error: { code: 1, message: 'no' } });
  await second.gone;
  await until(() => !alive(helper), 'the helper has ended');
  expect(await dev.serving()).toBe(1);
});

test('a server that ignores every signal is gone by --kill-timeout, and nobody waits for it', async () => {
  const dev = await Dev.connect({ args: ['--kill-timeout', '500'], puppet: { ignoreStdinEnd: true } });
  const first = await dev.puppet(1);
  await first.do({ do: 'ignore-signals' });
  await dev.reload(2);
  expect(await dev.serving()).toBe(2);
  expect(alive(first.pid)).toBe(true);
  await first.event('stdin-end');
  await first.event('signal', ({ name }) => name === 'SIGTERM');
  await first.gone;
  await until(() => !alive(first.pid), 'it has ended');
});

test('--signal is what a server is asked to stop with', async () => {
  const dev = await Dev.connect({ args: ['--signal', 'SIGINT'], puppet: { ignoreStdinEnd: true } });
  const first = await dev.puppet(1);
  await dev.reload(2);
  await first.event('signal', ({ name }) => name === 'SIGINT');
  await first.gone;
});

test('the server runs in the folder and with the words that it was given, and stderr passes byte for byte', async () => {
  const dev = await Dev.connect({
    args: ['--cwd', 'src'],
    files: { 'src/package.json': '{}' },
    launch: ['--', process.execPath, Dev.puppetFile, '--watch', 'x', '-b', '--', '*', '$HOME', 'a b'],
  });
  const { started } = await dev.puppet(1);
  expect(started.cwd).toBe(dev.project.path('src'));
  expect(started.argv.slice(1)).toEqual(['--watch', 'x', '-b', '--', '*', '$HOME', 'a b']);
  const text = '\u001b[31mred\u001b[0m grüße';
  await (await dev.puppet(1)).do({ do: 'stderr', text: `${text}\nthe end\n` });
  await dev.client.stderrLine(/^the end$/);
  expect(dev.client.stderr.all).toContain(text);
});
