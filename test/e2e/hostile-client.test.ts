import { expect, test } from 'vitest';
import { textOf } from '../kit/messages.ts';
import { peakMb } from '../kit/processes.ts';
import { until } from '../kit/wait.ts';
import { Dev, GATED_BUILD } from './dev.ts';
import { harmful, MOST_GROWTH_MB, START_HARMFUL } from './hostile.ts';
import { Live } from './live.ts';

const MB = 1024 * 1024;

/** Calls of a tool and the cancellation of each, as lines; `from` is the first id. */
function cancelled(tool: string, from: number, count: number, filler = ''): string {
  return Array.from({ length: count }, (_, n) => {
    const id = from + n;
    const params = { name: tool, arguments: { text: filler } };
    const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } };
    return `${JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params })}\n${JSON.stringify(cancel)}\n`;
  }).join('');
}

test.each([
  ['answers all the same', 'late: () => "too late"'],
  ['never answers', 'late: () => new Promise(() => {})'],
])(
  'a hundred thousand calls that are all cancelled, of a server that %s',
  async (_, tool) => {
    const live = await Live.connect(harmful(tool), START_HARMFUL);
    const { client } = live;
    const before = peakMb(client.pid);
    for (let from = 1000; from < 101_000; from += 1000) {
      client.send(cancelled('late', from, 1000, 'x'.repeat(1000)));
      await client.result('ping');
    }
    expect(await live.call('echo', { text: 'right' })).toBe('right');
    expect(peakMb(client.pid) - before).toBeLessThan(MOST_GROWTH_MB);
    // A few may have been answered before their cancellation came.
    const answered = client.received.all.map(({ id }) => id);
    expect(new Set(answered).size).toBe(answered.length);
  },
  60_000,
);

test('fifty thousand requests that are held are cancelled in no time, and no server hears of them', async () => {
  const dev = await Dev.connect({ args: ['--build', GATED_BUILD] });
  const { client } = dev;
  await dev.tookOver(1);
  await dev.saveAndBuild();
  const calls = Array.from({ length: 50_000 }, (_, n) => {
    return `{"jsonrpc":"2.0","id":${n + 1000},"method":"tools/call","params":{"name":"echo","arguments":{"text":"x"}}}\n`;
  });
  const cancels = Array.from({ length: 50_000 }, (_, n) => {
    return `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${n + 1000}}}\n`;
  });
  client.send(calls.join(''));
  expect(await client.result('ping')).toEqual({});
  const started = performance.now();
  client.send(cancels.reverse().join(''));
  expect(await client.result('ping')).toEqual({});
  expect(performance.now() - started).toBeLessThan(3000);
  dev.openGate();
  expect(await dev.serving()).toBe(2);
  const second = await dev.puppet(2);
  await second.caughtUp();
  expect(second.messages.filter(({ method }) => method === 'tools/call')).toHaveLength(1);
}, 60_000);

test('what is cancelled while it is held makes room for more', async () => {
  const dev = await Dev.connect({ args: ['--build', GATED_BUILD] });
  const { client } = dev;
  await dev.tookOver(1);
  await dev.saveAndBuild();
  const before = peakMb(client.pid);
  // Three times as much as is held before the client has to wait.
  for (let n = 0; n < 192; n++) {
    client.send(cancelled('echo', 1000 + n, 1, 'x'.repeat(MB)));
    expect(await client.result('ping')).toEqual({});
  }
  expect(peakMb(client.pid) - before).toBeLessThan(MOST_GROWTH_MB);
  dev.openGate();
  expect(await dev.serving()).toBe(2);
}, 60_000);

test('an id that is used again while it waits gets one answer, and may be used again after that', async () => {
  const live = await Live.connect(
    harmful(`
      slow: () => new Promise((resolve) => { tools.release = () => resolve('slow'); }),
      called: () => (tools.calls = (tools.calls ?? 0) + 1)`),
    START_HARMFUL,
  );
  const { client } = live;
  const call = (name: string) => {
    client.send({ jsonrpc: '2.0', id: 'again', method: 'tools/call', params: { name } });
  };
  call('slow');
  for (let n = 0; n < 1000; n++) call('called');
  expect(await live.call('called')).toBe('1');
  await client.stderrLine(/the client used the id "again" again before it was answered/);
  await client.stderrLine(/1000 ids were used by the client before they were answered so far/);
  await live.call('release');
  await client.response('again');
  call('called');
  const answers = () => client.received.all.filter(({ id }) => id === 'again');
  await until(() => answers().length === 2, 'the second answer');
  expect(answers().map(({ result = {} }) => textOf(result))).toEqual(['slow', '2']);
});

const GARBAGE = [
  Buffer.from(Array.from({ length: 256 }, (_, n) => (n === 10 ? 11 : n))),
  Buffer.from([0xff, 0xfe, 0xc3, 0x28, 0xed, 0xa0, 0x80]),
  Buffer.alloc(64 * 1024, 'x'),
  Buffer.alloc(9000, '['),
  ...['{', '}', '[', ']', '"', 'null', '0', 'NaN', '[]', '{}', '[1,2]', '[{}]', '{"jsonrpc":"2.0"}'],
  ...['{"jsonrpc":"2.0","id":null,"method":"ping"}', '{"jsonrpc":"2.0","id":{},"method":"x"}'],
  ...[
    '{"jsonrpc":"2.0","id":1,"method":7}',
    '{"jsonrpc":"1.0","id":1,"method":"ping"}',
    '{"jsonrpc":"2.0","id":1',
  ],
].map((kind) => Buffer.concat([Buffer.from(kind), Buffer.from('\n')]));
const GARBAGE_BLOCK = Buffer.concat(Array.from({ length: 20 }, () => GARBAGE).flat());

/** Messages that are whole, and make no sense. */
const NONSENSE = [
  '{"jsonrpc":"2.0","id":"deep","method":"tools/call","params":DEEP}',
  '{"jsonrpc":"2.0","method":"notifications/cancelled"}',
  '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":DEEP}}',
  '{"jsonrpc":"2.0","method":"notifications/cancelled","params":7}',
  '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":{},"progress":"x"}}',
  '{"jsonrpc":"2.0","method":"notifications/initialized"}',
  '{"jsonrpc":"2.0","method":"constructor"}',
  '{"jsonrpc":"2.0","method":"__proto__","params":{"__proto__":DEEP}}',
  '{"jsonrpc":"2.0","id":"nobody asked","result":{}}',
  '{"jsonrpc":"2.0","id":"mcp-dev:1:1","result":{"protocolVersion":"2025-06-18","capabilities":{}}}',
  '{"jsonrpc":"2.0","id":"mcp-dev:s:1:1","error":{}}',
].map((text) => `${text.replaceAll('DEEP', '['.repeat(200_000) + ']'.repeat(200_000))}\n`);

test('garbage of the client is refused, and the session goes on', async () => {
  const live = await Live.connect(harmful(''), START_HARMFUL);
  const { client } = live;
  const before = peakMb(client.pid);
  for (let sent = 0; sent < 256 * MB; sent += GARBAGE_BLOCK.length) {
    client.send(GARBAGE_BLOCK);
    if (sent % 16 === 0) await client.result('ping');
  }
  expect(await live.call('echo', { text: 'still there' })).toBe('still there');
  expect(peakMb(client.pid) - before).toBeLessThan(MOST_GROWTH_MB);
  const refused = client.received.all.filter(({ id }) => id === null);
  expect(new Set(refused.map(({ error }) => error?.code))).toEqual(new Set([-32600]));
}, 60_000);

test('nonsense of the client ends nothing', async () => {
  const dev = await Dev.connect();
  const { client } = dev;
  const first = await dev.puppet(1);
  await first.do({ do: 'hold', method: 'tools/call' });
  for (const text of NONSENSE) client.send(text);
  expect(await client.result('ping')).toEqual({});
  // What is open at a reload is looked at once more.
  await first.do({ do: 'crash' });
  expect(await dev.serving()).toBe(2);
});

test('a line of the client without an end is dropped and reported, and the session goes on', async () => {
  const live = await Live.connect(harmful(''), START_HARMFUL);
  const { client } = live;
  const before = peakMb(client.pid);
  const part = Buffer.alloc(MB, '{"a":');
  for (let sent = 0; sent < 300; sent++) client.send(part);
  await client.stderrLine(/the client sent a line of more than 256 MiB: it is dropped/);
  for (let sent = 0; sent < 300; sent++) client.send(part);
  client.send('\n');
  expect(await live.call('echo', { text: 'still there' })).toBe('still there');
  expect(peakMb(client.pid) - before).toBeLessThan(256 + MOST_GROWTH_MB);
}, 60_000);

const FLOOD = `flood: async () => {
  const params = { level: 'info', data: 'x'.repeat(10_000) };
  const block = line({ method: 'notifications/message', params }).repeat(100);
  for (;;) await out(block);
}`;

test('a client that does not read makes the server wait, and nobody keeps what it says', async () => {
  const live = await Live.connect(harmful(FLOOD), START_HARMFUL);
  const { client } = live;
  client.pause();
  const before = peakMb(client.pid);
  client.send({ jsonrpc: '2.0', id: 'flood', method: 'tools/call', params: { name: 'flood' } });
  // It says much that is refused; in the end it has to wait too, as nobody keeps so many answers.
  const refusable = Buffer.alloc(64 * 1024, '{}\n');
  const noRoom = () => new Promise((resolve) => setTimeout(resolve, 1000, 'no room'));
  let taken = 0;
  while (taken < 32 * MB) {
    if ((await Promise.race([client.written(refusable), noRoom()])) === 'no room') break;
    taken += refusable.length;
  }
  expect(taken).toBeLessThan(32 * MB);
  expect(peakMb(client.pid) - before).toBeLessThan(MOST_GROWTH_MB);
  // It goes away as it is: nothing is left, and no word is lost about it.
  client.kill('SIGTERM');
  expect(await client.exit()).toEqual({ code: 143, signal: null });
  expect(client.stderr.all.filter((text) => !/started|not read/.test(text))).toEqual([]);
}, 60_000);

test('a client that goes away without reading what it was sent leaves nothing behind', async () => {
  const live = await Live.connect(harmful(FLOOD), START_HARMFUL);
  const { client } = live;
  client.pause();
  client.send({ jsonrpc: '2.0', id: 'flood', method: 'tools/call', params: { name: 'flood' } });
  expect(await client.vanish()).toEqual({ code: 0, signal: null });
  expect(client.stderr.all.filter((text) => !/started/.test(text))).toEqual([]);
  await until(() => live.processes.length === 0, 'all processes have ended');
});

test('a client that ends in the middle of a line ends the session like any other', async () => {
  const live = await Live.connect(harmful(''), START_HARMFUL);
  live.client.send('{"jsonrpc":"2.0","id":7,"method":"tools/ca');
  expect(await live.client.close()).toEqual({ code: 0, signal: null });
  expect(live.client.received.all).toHaveLength(1);
});

test('a call that waits for its answer keeps nothing of what was sent beside it', async () => {
  const live = await Live.connect(harmful('never: () => new Promise(() => {})'), START_HARMFUL);
  const { client } = live;
  const before = peakMb(client.pid);
  const params = { text: 'x'.repeat(60_000) };
  const other = `${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/other', params })}\n`;
  for (let n = 0; n < 8000; n++) {
    const call = { jsonrpc: '2.0', id: 1000 + n, method: 'tools/call', params: { name: 'never' } };
    client.send(`${other}${JSON.stringify(call)}\n`);
    if (n % 100 === 0) expect(await client.result('ping')).toEqual({});
  }
  expect(await live.call('echo', { text: 'still there' })).toBe('still there');
  expect(peakMb(client.pid) - before).toBeLessThan(MOST_GROWTH_MB);
}, 60_000);
