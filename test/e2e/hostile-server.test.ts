import { expect, test } from 'vitest';
import type { Message } from '../kit/messages.ts';
import { alive, peakMb } from '../kit/processes.ts';
import { until } from '../kit/wait.ts';
import { Dev } from './dev.ts';
import { harmful, MOST_GROWTH_MB, START_HARMFUL } from './hostile.ts';
import { Live } from './live.ts';

const MB = 1024 * 1024;

/** What the client got beyond answers and the news of a hand-over. */
const unasked = (received: readonly Message[]) =>
  received.filter(({ method = 'notifications/tools/list_changed' }) => !/list_changed$/.test(method));

test('a gigabyte of every kind of garbage on stdout reaches nobody, and is not kept', async () => {
  const live = await Live.connect(
    harmful(`flood: async ({ bytes }) => {
      const kinds = [
        Buffer.from(Array.from({ length: 256 }, (_, n) => (n === 10 ? 11 : n))),
        Buffer.from([0xff, 0xfe, 0xc3, 0x28, 0xed, 0xa0, 0x80]),
        Buffer.from('\\u001b[31mred\\u001b[0m\\r'), Buffer.alloc(64 * 1024, 'x'), Buffer.alloc(9000, '['),
        ...['{', '}', '[', ']', '"', 'null', '0', 'NaN', '[]', '{}', '[1,2]', '[{}]', '{"jsonrpc":"2.0"}', '\\r',
          '{"jsonrpc":"2.0","id":null,"result":{}}', '{"jsonrpc":"2.0","id":{},"method":"x"}',
          '{"jsonrpc":"2.0","id":1,"method":7}', '{"jsonrpc":"1.0","id":1,"result":{}}', '{"jsonrpc":"2.0","id":1',
          '{"jsonrpc":"2.0","id":true,"method":"ping"}', '{"id":1,"result":{}}', '\\ufeff{"jsonrpc":"2.0"',
        ].map((text) => Buffer.from(text)),
      ];
      const block = Buffer.concat(kinds.flatMap((kind) => [kind, Buffer.from('\\n')]));
      for (let sent = 0; sent < bytes; sent += block.length) await out(block);
    }`),
    START_HARMFUL,
  );
  const before = peakMb(live.client.pid);
  await live.call('flood', { bytes: 1024 * MB });
  expect(await live.call('echo', { text: 'still there' })).toBe('still there');
  expect(peakMb(live.client.pid) - before).toBeLessThan(MOST_GROWTH_MB);
  expect(unasked(live.client.received.all)).toEqual([]);
  // A flood that is counted is no flood itself.
  await live.client.stderrLine(/100000 lines on the server's stdout were no MCP messages so far/);
  expect(live.client.stderr.all.length).toBeLessThan(30);
}, 60_000);

test('a line without an end is dropped and reported while it is being written', async () => {
  const live = await Live.connect(
    harmful(`endless: async () => {
      const { existsSync } = await import('node:fs');
      for (let sent = 0; sent < 300; sent++) await out(Buffer.alloc(${MB}, '{"a":'));
      while (!existsSync('gate')) await new Promise((resolve) => setTimeout(resolve, 20));
      for (let sent = 0; sent < 700; sent++) await out(Buffer.alloc(${MB}, '{"a":'));
      await out('\\n');
      return 'ended';
    }`),
    START_HARMFUL,
  );
  const { client } = live;
  const before = peakMb(client.pid);
  const ended = live.call('endless');
  await client.stderrLine(/generation 1 wrote a line of more than 256 MiB: it is dropped/);
  live.project.write('gate', '');
  expect(await ended).toBe('ended');
  expect(await live.call('echo', { text: 'still there' })).toBe('still there');
  expect(peakMb(client.pid) - before).toBeLessThan(256 + MOST_GROWTH_MB);
  expect(client.stderr.all.filter((text) => !/started/.test(text))).toHaveLength(1);
}, 60_000);

test('messages of 64 MB pass both ways', async () => {
  const live = await Live.connect(harmful(`large: ({ text }) => text.length + text`), START_HARMFUL);
  const text = 'é'.repeat(32 * MB);
  const answer = await live.call('large', { text });
  expect(answer === `${text.length}${text}`).toBe(true);
}, 60_000);

test('an answer that comes twice, to nothing, or to what another generation was asked, reaches nobody', async () => {
  const dev = await Dev.connect();
  const { client } = dev;
  const first = await dev.puppet(1);
  await dev.tookOver(1);
  const slow = client.callTool('slow');
  const { id: held } = await first.event('held');
  const second = await dev.reload(2);
  const once = await client.request('tools/call', { name: 'echo', arguments: { text: 'x' } }, 'once');
  const content = [{ type: 'text', text: 'forged' }];
  const ours = second.messages.flatMap(({ id }) => (String(id).startsWith('mcp-dev:') ? [id] : []));
  expect(ours.length).toBeGreaterThan(0);
  for (const id of ['once', held, 'never asked', -1, 2 ** 60, '', 'x'.repeat(MB), ...ours]) {
    await second.do({ do: 'answer', id, result: { content } });
    await second.do({ do: 'answer', id, error: { code: 1, message: 'forged' } });
  }
  expect(await client.result('ping')).toEqual({});
  await client.stderrLine(/generation 2 answered the id "once", which nobody waits for/);
  expect(client.stderr.all.every(({ length }) => length < 1000)).toBe(true);
  await first.do({ do: 'release' });
  expect(await slow).toMatchObject({ content: [{ text: 'slow @1' }] });
  expect(once).toMatchObject({ result: { content: [{ text: 'x @2' }] } });
  expect(JSON.stringify(client.received.all)).not.toContain('forged');
});

test('two million answers to nothing are counted and not kept', async () => {
  const live = await Live.connect(
    harmful(`answers: async () => {
      for (let block = 0; block < 200; block++) {
        const id = (n) => (n % 2 === 0 ? block * 1e4 + n : String(block * 1e4 + n)) ;
        await out(Array.from({ length: 1e4 }, (_, n) => line({ id: id(n + 1e6), result: {} })).join(''));
      }
    }`),
    START_HARMFUL,
  );
  const before = peakMb(live.client.pid);
  await live.call('answers');
  await live.client.stderrLine(/1000000 answers of the server were to nothing that was asked so far/);
  expect(peakMb(live.client.pid) - before).toBeLessThan(MOST_GROWTH_MB);
  expect(live.client.received.all).toHaveLength(2);
}, 60_000);

test('a server that answers no call keeps nothing else from being answered, nor the session from its end', async () => {
  const live = await Live.connect(harmful('never: () => new Promise(() => {})'), START_HARMFUL);
  const { client } = live;
  const call = (n: number) => ({
    jsonrpc: '2.0',
    id: `never ${n}`,
    method: 'tools/call',
    params: { name: 'never' },
  });
  for (let n = 0; n < 1000; n++) client.send(call(n));
  expect(await live.call('echo', { text: 'meanwhile' })).toBe('meanwhile');
  const started = performance.now();
  expect(await client.close()).toEqual({ code: 0, signal: null });
  expect(performance.now() - started).toBeLessThan(4000);
  expect(live.processes).toEqual([]);
});

test.each(['exit(3)', `kill(process.pid, 'SIGKILL')`])(
  'a server that ends by %s while it writes leaves no half message',
  async (end) => {
    const live = await Live.connect(
      harmful(`die: () => {
      const text = 'x'.repeat(1000);
      for (let n = 0; n < 20_000; n++) process.stdout.write(line({ method: 'notifications/message', params: { level: 'info', data: n, text } }));
      process.stdout.write('{"jsonrpc":"2.0","id":"die","result":{"content":[{"type":"text","te');
      setTimeout(() => process.${end}, 20);
      return new Promise(() => {});
    }`),
      START_HARMFUL,
    );
    const { client } = live;
    const died = await client.request('tools/call', { name: 'die' }, 'die');
    expect(died).toMatchObject({
      result: { isError: true, _meta: { 'mcp-dev': { reason: 'server_crashed' } } },
    });
    expect(await live.call('echo', { text: 'again' })).toBe('again');
    const told = client.received.all.filter(({ method }) => method === 'notifications/message');
    expect(told.map(({ params }) => params?.data)).toEqual(told.map((_, n) => n));
  },
);

test('a server that asks without an end and reads no answers does not fill our memory', async () => {
  const live = await Live.connect(
    harmful(`ask: async () => {
      process.stdin.pause();
      const filler = 'x'.repeat(1000);
      const noRoom = () => new Promise((resolve) => setTimeout(resolve, 100, 'no room'));
      for (let n = 0; n < 600; n++) {
        const ids = Array.from({ length: 1000 }, (_, m) => n * 1000 + m + filler);
        const written = out(ids.map((id) => line({ id, method: 'roots/list' })).join(''));
        if (await Promise.race([written, noRoom()]) === 'no room') process.stdin.resume();
        await written;
      }
      process.stdin.resume();
    }`),
    START_HARMFUL,
  );
  const before = peakMb(live.client.pid);
  await live.call('ask');
  // It is 600 MB in all, and how much of it is still around before it is collected differs by version of node.
  expect(peakMb(live.client.pid) - before).toBeLessThan(1.5 * MOST_GROWTH_MB);
  expect(await live.call('echo', { text: 'still there' })).toBe('still there');
}, 60_000);
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

/** The text of an expression whose value, as JSON, has no bottom. */
const DEEP = `'['.repeat(100_000) + ']'.repeat(100_000)`;

test.each([
  [
    'a schema without a bottom',
    `line({ id, result: 'R' }).replace('"R"', '{"tools":[{"name":"x","inputSchema":' + ${DEEP} + '}]}')`,
  ],
  [
    'tools that have no names',
    `line({ id, result: { tools: [{ name: { toString: 1, valueOf: 1 } }, { name: [[]] }, {}, null, 7] } })`,
  ],
  [
    'a name without a bottom',
    `line({ id, result: 'R' }).replace('"R"', '{"tools":[{"name":' + ${DEEP} + '}]}')`,
  ],
  ['no tools at all', 'line({ id, result: { tools: 7, nextCursor: [] } })'],
  ['an error without a bottom', `line({ id, error: 'R' }).replace('"R"', ${DEEP})`],
])('a server whose list is %s ends no session, before a reload and after it', async (_, answer) => {
  const files = harmful('');
  const program = files['server.mjs']?.replace("'tools/list': () =>", "'tools/other': () =>");
  const list = `if (method === 'tools/list') return out(${answer});`;
  const live = await Live.connect(
    { ...files, 'server.mjs': program?.replace('if (id ===', `${list}\n  if (id ===`) ?? '' },
    START_HARMFUL,
  );
  expect(await live.call('echo', { text: 'first' })).toBe('first');
  // Two lists that cannot be compared are worse than one.
  live.project.write('other.mjs', '');
  await live.client.stderrLine(/generation 2/);
  expect(await live.call('echo', { text: 'still there' })).toBe('still there');
  live.project.write('server.mjs', files['server.mjs'] ?? '');
  await live.tookOver(3);
  expect(await live.tools()).toEqual(['echo']);
});

test.each([
  ['no version', '{"capabilities":{}}'],
  ['a version that is no text', '{"protocolVersion":{"toString":1,"valueOf":1},"capabilities":{}}'],
  ['capabilities without a bottom', `{"protocolVersion":"2025-06-18","capabilities":{"tools":{"x":DEEP}}}`],
])('a server that answers the handshake with %s ends no session', async (_, result) => {
  const files = harmful('');
  const text = `\`${result}\`.replace('DEEP', ${DEEP})`;
  const list = `if (method === 'initialize') return out('{"jsonrpc":"2.0","id":' + JSON.stringify(id) + ',"result":' + ${text} + '}\\n');`;
  const live = Live.start(
    { ...files, 'server.mjs': files['server.mjs']?.replace('if (id ===', `${list}\n  if (id ===`) ?? '' },
    START_HARMFUL,
  );
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'c', version: '1' } };
  live.client.send({ jsonrpc: '2.0', id: 0, method: 'initialize', params });
  await live.client.stderrLine(/generation 1/);
  expect(await live.client.result('ping')).toEqual({});
  live.project.write('server.mjs', files['server.mjs'] ?? '');
  await live.client.stderrLine(/generation 2/);
  expect(await live.client.result('ping')).toEqual({});
});

test('a list whose pages never end is not read for ever, and keeps no generation from taking over', async () => {
  const files = harmful('');
  const pages = `'tools/list': ({ cursor = 0 } = {}) => {
    const tools = Array.from({ length: 10 }, (_, n) => ({ name: cursor + '-' + n, description: 'x'.repeat(10_000) }));
    return { tools, nextCursor: String(Number(cursor) + 1) };
  }, 'tools/other': () =>`;
  const live = await Live.connect(
    { ...files, 'server.mjs': files['server.mjs']?.replace("'tools/list': () =>", pages) ?? '' },
    START_HARMFUL,
  );
  const before = peakMb(live.client.pid);
  await live.reload(2, 'other.mjs', '');
  await live.reload(3, 'other.mjs', '1');
  expect(await live.call('echo', { text: 'still there' })).toBe('still there');
  expect(peakMb(live.client.pid) - before).toBeLessThan(2 * MOST_GROWTH_MB);
}, 60_000);

test('what a candidate says before it is ready is kept only as far as there is room', async () => {
  const files = harmful('');
  const talk = `if (method === 'tools/list') {
    const params = { level: 'info', data: 'x'.repeat(${MB}) };
    for (let n = 0; n < 500; n++) await out(line({ method: 'notifications/message', params }));
  }`;
  const live = await Live.connect(files, START_HARMFUL);
  const before = peakMb(live.client.pid);
  const talking = files['server.mjs']?.replace('if (id ===', `${talk}\n  if (id ===`) ?? '';
  await live.reload(2, 'server.mjs', talking);
  expect(peakMb(live.client.pid) - before).toBeLessThan(MOST_GROWTH_MB);
  await live.client.stderrLine(/generation 2 says more before it is ready than can be kept/);
  expect(await live.call('echo', { text: 'still there' })).toBe('still there');
}, 60_000);

test('a batch of millions is no batch', async () => {
  const live = await Live.connect(
    harmful(`batch: () => out('[' + '1,'.repeat(20_000_000) + '1]\\n').then(() => 'sent')`),
    START_HARMFUL,
  );
  const before = peakMb(live.client.pid);
  expect(await live.call('batch')).toBe('sent');
  expect(await live.call('echo', { text: 'still there' })).toBe('still there');
  // The line itself is 40 MB, and is joined to be looked at.
  expect(peakMb(live.client.pid) - before).toBeLessThan(40 + MOST_GROWTH_MB);
});
