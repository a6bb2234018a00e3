import { spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { Arrivals } from '../kit/wait.ts';
import { Dev } from './dev.ts';

type Event = { readonly event: string; readonly [member: string]: unknown };

function read(dev: Dev, name = 'events.ndjson'): Event[] {
  const lines = readFileSync(dev.project.path(name), 'utf8').split('\n');
  expect(lines.pop()).toBe('');
  return lines.map((line) => JSON.parse(line) as Event);
}

const named = (events: readonly Event[], name: string) => events.filter(({ event }) => event === name);

test('a session with a reload, a broken build and a crash, one JSON object a line', async () => {
  const build = 'if grep -q mistake src/a.js; then echo "a.js: a mistake" >&2; exit 1; fi';
  const args = ['--events', 'events.ndjson', '--name', 'mine', '--build', build, '--redact', 'token'];
  const dev = await Dev.connect({ args });
  const first = await dev.puppet(1);
  await first.do({ do: 'write', line: 'garbage {"token":"secret"}\n' });
  const second = await dev.reload(2);
  dev.project.write('src/a.js', 'a mistake');
  await dev.client.stderrLine(/the build failed/);
  dev.project.write('src/a.js', 'mended');
  await dev.tookOver(3);
  const third = await dev.puppet(3);
  await third.do({ do: 'crash', signal: 'SIGSEGV' });
  await dev.client.stderrLine(/generation 2 serves again/);
  await dev.client.close();

  const events = read(dev);
  for (const event of events) {
    expect(Object.keys(event).slice(0, 3)).toEqual(['time', 'event', 'server']);
    expect(event).toMatchObject({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      server: 'mine',
    });
  }
  expect(named(events, 'session')).toMatchObject([
    { state: 'began' },
    {
      state: 'connected',
      era: 'legacy',
      protocolVersion: '2025-06-18',
      client: { name: 'raw-client', version: '1.0.0' },
    },
    { state: 'ended' },
  ]);
  expect(events.at(-1)).toMatchObject({ event: 'session', state: 'ended' });
  expect(named(events, 'change').map(({ paths }) => paths)).toEqual([
    [dev.project.path('src/a.js')],
    [dev.project.path('src/a.js')],
    [dev.project.path('src/a.js')],
  ]);
  expect(named(events, 'build').map(({ outcome }) => outcome)).toEqual(['built', 'built', 'failed', 'built']);
  expect(named(events, 'start')).toMatchObject([
    { generation: 1, pid: first.pid },
    { generation: 2, pid: second.pid },
    { generation: 3 },
  ]);
  const ms = {
    gather: expect.any(Number),
    build: expect.any(Number),
    start: expect.any(Number),
    total: expect.any(Number),
  };
  const nothing = { added: [], removed: [], changed: [] };
  const change = { kind: 'change', paths: [dev.project.path('src/a.js')] };
  expect(named(events, 'reload')).toMatchObject([
    { ok: true, generation: 1, trigger: { kind: 'first-start' }, ms, ...nothing },
    { ok: true, generation: 2, trigger: change, ms, ...nothing },
    {
      ok: false,
      generation: 2,
      trigger: change,
      ms,
      ...nothing,
      error: { reason: 'build_failed', text: expect.stringContaining('a.js: a mistake') },
    },
    { ok: true, generation: 3, trigger: change, ms },
  ]);
  expect(named(events, 'stale')).toMatchObject([
    { generation: 2, error: { reason: 'build_failed' } },
    { generation: 2, error: { reason: 'server_crashed' } },
  ]);
  expect(named(events, 'crash')).toMatchObject([
    { generation: 3, serving: 2, error: { reason: 'server_crashed' } },
  ]);
  expect(named(events, 'garbage')).toMatchObject([{ generation: 1, text: 'garbage {"token":"[redacted]"}' }]);
  expect(
    named(events, 'stop')
      .map(({ generation }) => generation)
      .sort(),
  ).toEqual([1, 2, 3]);
  // The file lies in the project, and started no reload.
  expect(dev.started).toBe(3);
});

test('a session of 2026-07-28 tells its era; a second session is appended', async () => {
  const dev = await Dev.connectModern({ args: ['--events', 'events.ndjson'] });
  await dev.client.close();
  const before = read(dev).length;
  expect(named(read(dev), 'session')[1]).toMatchObject({
    state: 'connected',
    era: 'modern',
    protocolVersion: '2026-07-28',
    client: { name: 'raw-client', version: '1.0.0' },
  });
  const again = dev.another();
  again.speakModern();
  await again.result('tools/list');
  await again.close();
  expect(read(dev).slice(before)[0]).toMatchObject({ event: 'session', state: 'began' });
});

test('a named pipe: nobody has to read it, and who comes later gets what waits there', async () => {
  const wrapper = ['sh', '-c', 'mkfifo pipe; exec "$0" "$@"'];
  const dev = await Dev.connect({ args: ['--events', 'pipe'], wrapper });
  const reader = spawn('cat', [dev.project.path('pipe')], { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => void reader.kill('SIGKILL'));
  const events = new Arrivals<Event>('the pipe');
  createInterface({ input: reader.stdout }).on('line', (line) => events.push(JSON.parse(line)));
  await events.find(({ event, state }) => event === 'session' && state === 'connected', 'a connection');
  expect(events.all[0]).toMatchObject({ event: 'session', state: 'began' });
  reader.kill('SIGKILL');
  await dev.reload(2);
  expect(await dev.client.close()).toEqual({ code: 0, signal: null });
  expect(statSync(dev.project.path('pipe')).isFIFO()).toBe(true);
});

test('/dev/stderr, though it is a socket', async () => {
  const dev = await Dev.connect({ args: ['--events', '/dev/stderr'] });
  await dev.client.stderrLine(
    /^\{"time":"[^"]+","event":"session","server":"puppet-project","state":"began"\}$/,
  );
  await dev.client.close();
});

test('a file that cannot be written is reported once, and the session goes on', async () => {
  const dev = await Dev.connect({ args: ['--events', '/dev/full'] });
  await dev.client.stderrLine(/^mcp-dev cannot write the events to \/dev\/full: ENOSPC/);
  await dev.reload(2);
  expect(dev.client.stderr.all.filter((line) => line.includes('/dev/full'))).toHaveLength(1);
  await dev.client.close();
});
