import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { textOf } from '../kit/messages.ts';
import { alive } from '../kit/processes.ts';
import { until } from '../kit/wait.ts';
import { Dev, GATED_BUILD } from './dev.ts';

/** A server that owns something: it fails to start while another one has it. */
const OWNER = `
import { rmSync, writeFileSync } from 'node:fs';
writeFileSync('lock', String(process.pid), { flag: 'wx' });
process.on('exit', () => rmSync('lock'));
`;

async function connect(args: readonly string[] = []): Promise<Dev> {
  const dev = await Dev.connect({
    args: ['--exclusive', 'on', ...args],
    files: { 'owner.mjs': OWNER, 'server.mjs': '' },
    launch: ['--', process.execPath, '--import', './owner.mjs', Dev.puppetFile],
  });
  await dev.tookOver(1);
  return dev;
}

test('the old generation has ended before the new one starts, and requests wait meanwhile', async () => {
  const dev = await connect();
  for (const generation of [2, 3]) {
    const before = await dev.puppet(generation - 1);
    dev.save();
    await before.event('stdin-end');
    const call = dev.serving();
    await dev.puppet(generation);
    expect(alive(before.pid)).toBe(false);
    expect(await call).toBe(generation);
  }
  // A process that finds the lock taken fails, and is no puppet.
  expect(dev.client.stderr.all.filter((line) => line.includes('ended before'))).toEqual([]);
});

test('a call in flight is finished first, and what comes meanwhile is held', async () => {
  const dev = await connect(['--build', GATED_BUILD]);
  const first = await dev.puppet(1);
  const call = dev.client.callTool('slow');
  await first.event('held');
  await dev.saveAndBuild();
  const late = dev.serving();
  dev.openGate();
  await until(() => !existsSync(dev.project.path('running')), 'the build is over');
  // A process that were started now would find the lock taken.
  await first.do({ do: 'release', method: 'tools/call', tool: 'slow' });
  expect(textOf(await call)).toBe('slow @1');
  expect(await late).toBe(2);
  expect(dev.client.stderr.all.filter((line) => line.includes('ended before'))).toEqual([]);
});

test('a crash is made good, and what the server left behind is gone by then', async () => {
  const dev = await connect();
  const first = await dev.puppet(1);
  const helper = await first.fork('setsid');
  await first.do({ do: 'exit', code: 1 });
  await dev.puppet(2);
  expect(alive(helper)).toBe(false);
  expect(await dev.serving()).toBe(2);
});

test('a candidate that fails leaves nothing serving until the next save', async () => {
  const dev = await connect();
  dev.saveServer({ atStart: [{ do: 'exit', code: 4 }] });
  await dev.client.stderrLine(/generation 2 ended before it had answered the handshake \(exit code 4\)/);
  dev.saveServer({});
  expect(await dev.serving()).toBeGreaterThan(2);
});
