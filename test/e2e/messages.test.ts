import { expect, test } from 'vitest';
import { textOf } from '../kit/messages.ts';
import { Dev } from './dev.ts';

test('stray output never reaches the client; its cause is named, and it is counted', async () => {
  const dev = await Dev.connect();
  const first = await dev.puppet(1);
  for (let n = 1; n <= 12; n++) await first.do({ do: 'write', line: `stray ${n}\n` });
  await first.do({ do: 'write', line: '{"some":"json"}\n' });
  await first.do({ do: 'notify', method: 'x/marker' });
  await dev.client.next('x/marker');
  await dev.client.stderrLine(/console\.error.*npm -s/);
  await dev.client.stderrLine(/10 lines on the server's stdout/);
  const shown = dev.client.stderr.all.filter((line) => line.includes('stray'));
  expect(shown.map((line) => line.slice(line.indexOf('stray')))).toEqual(['stray 1', 'stray 2', 'stray 3']);
  expect(dev.client.garbage).toEqual([]);
  expect(dev.client.received.all.map(({ method }) => method)).toEqual([undefined, 'x/marker']);
});

test('a character that is cut by a chunk stays whole, in both directions', async () => {
  const dev = await Dev.connect();
  const first = await dev.puppet(1);
  // The last that it has to say on its own account.
  await first.received('resources/templates/list');
  const text = 'grüße €, 日本 🎉';
  const line = Buffer.from(`${JSON.stringify({ jsonrpc: '2.0', method: 'x/text', params: { text } })}\n`);
  for (let at = 0; at < line.length; at += 3) {
    await first.do({ do: 'write', base64: line.subarray(at, at + 3).toString('base64') });
  }
  expect((await dev.client.next('x/text')).params).toEqual({ text });
  for (let at = 0; at < line.length; at += 7) {
    dev.client.send(line.subarray(at, at + 7));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  expect((await first.received('x/text')).params).toEqual({ text });
});

test('the half line of a dying server is not glued to what follows', async () => {
  const dev = await Dev.connect();
  const first = await dev.puppet(1);
  await first.do({ do: 'write', line: '{"jsonrpc":"2.0","method":"x/half",' });
  await first.do({ do: 'crash' });
  await dev.tookOver(2);
  expect(await dev.serving()).toBe(2);
  expect(dev.client.garbage).toEqual([]);
  expect(dev.client.received.all.filter(({ method }) => method === 'x/half')).toEqual([]);
});

test('methods and members that nobody knows pass, byte for byte', async () => {
  const dev = await Dev.connect({ puppet: { hold: [{ method: 'x/unknown' }] } });
  const first = await dev.puppet(1);
  const sent =
    '{ "id":"u",  "params":{"n":1.50, "big":12345678901234567890,"u":"\\u00e9","n":2},"method":"x/unknown","jsonrpc":"2.0","more":[ ]}';
  dev.client.send(`${sent}\n`);
  await first.event('held');
  const answer =
    '{"result":{"n":1.0,"big":98765432109876543210,"x":"\\u00e9"}, "id":"u","jsonrpc":"2.0","more":true}';
  await first.do({ do: 'write', line: `${answer}\r\n` });
  await dev.client.response('u');
  expect(dev.client.lines.at(-1)?.toString().trimEnd()).toBe(answer);
  await first.do({ do: 'ask', id: 1, method: 'x/from-server', params: { a: 1 } });
  expect((await dev.client.next('x/from-server')).params).toEqual({ a: 1 });
  dev.client.notify('notifications/x', { b: 2 });
  expect((await first.received('notifications/x')).params).toEqual({ b: 2 });
});

test('lines that end with CRLF, and blank ones, are like any other in both directions', async () => {
  const dev = await Dev.connect({ puppet: { hold: [{ method: 'x/held' }] } });
  const first = await dev.puppet(1);
  dev.client.send('\r\n \t\r\n\n{"jsonrpc":"2.0","id":"crlf","method":"x/held"}\r\n\r\n');
  await first.event('held');
  await first.do({ do: 'write', line: '\r\n\n  \r\n{"jsonrpc":"2.0","id":"crlf","result":{"a":1}}\r\n\r\n' });
  expect((await dev.client.response('crlf')).result).toEqual({ a: 1 });
  expect(await dev.client.result('ping')).toEqual({});
  await dev.tookOver(1);
  expect(dev.client.stderr.all).toHaveLength(1);
  // A blank line of the server may pass as it is: it says nothing.
  expect(dev.client.received.all.map(({ id }) => id)).toEqual([1, 'crlf', 2]);
});

test('pages pass as the server cuts them', async () => {
  const dev = await Dev.connect({ args: ['--no-tools'], puppet: { pageSize: 2 } });
  const page = await dev.client.result('tools/list');
  expect(page).toMatchObject({ tools: [{ name: 'echo' }, { name: 'add' }], nextCursor: '2' });
  const rest = await dev.client.result('tools/list', { cursor: '2' });
  expect(rest).toMatchObject({ tools: [{ name: 'slow' }] });
  expect(rest.nextCursor).toBeUndefined();
  // Our own comparison reads all of them.
  dev.saveServer({ pageSize: 1, moreTools: [{ name: 'last', inputSchema: { type: 'object' } }] });
  expect(await dev.tookOver(2)).toMatch(/: \+tool last$/);
});

test.each([
  ['1', 'a string like a number'],
  ['', 'an empty string'],
  ['mcp-dev', 'our own name'],
  ['"\\ é 日', 'a string with escapes'],
])('the id %j is given back: %s', async (id) => {
  const dev = await Dev.connect();
  expect(await dev.client.request('ping', {}, id)).toEqual({ jsonrpc: '2.0', id, result: {} });
});

test.each(['0', '-7', '9007199254740993', '12345678901234567890'])('the id %s is given back', async (id) => {
  const dev = await Dev.connect();
  dev.client.send(`{"jsonrpc":"2.0","id":${id},"method":"ping"}\n`);
  await dev.client.response(Number(id));
  // A server whose numbers are doubles gives back a rounded one, and the client asked with the exact one.
  expect(dev.client.lines.at(-1)?.toString()).toContain(`"id":${Number(id)}`);
});

test('a message of 10 MB passes in both directions', async () => {
  const dev = await Dev.connect();
  const text = 'é'.repeat(5_000_000);
  const result = await dev.client.callTool('echo', { text });
  const [block] = result.content as readonly { text: string }[];
  expect(block?.text === `${text} @1`).toBe(true);
});

test('a client that does not read for a while loses nothing', async () => {
  const dev = await Dev.connect();
  const first = await dev.puppet(1);
  const call = dev.client.callTool('slow');
  await first.event('held');
  dev.client.pause();
  const filler = 'x'.repeat(10_000);
  const line = (n: number) => `${JSON.stringify({ jsonrpc: '2.0', method: 'x/n', params: { n, filler } })}\n`;
  for (let n = 0; n < 500; n++) await first.do({ do: 'write', line: line(n) });
  // That is far more than fits into the pipes; a reload does not wait for the client.
  await dev.reload(2);
  await first.do({ do: 'release' });
  dev.client.resume();
  expect(textOf(await call)).toBe('slow @1');
  const numbers = dev.client.received.all.flatMap(({ params }) => (params ? [params.n] : []));
  expect(numbers).toEqual(Array.from({ length: 500 }, (_, n) => n));
});

test('a server that does not read holds nobody up once it is replaced', async () => {
  const dev = await Dev.connect();
  const first = await dev.puppet(1);
  await first.do({ do: 'stop-reading' });
  dev.client.send({ jsonrpc: '2.0', id: 'big', method: 'x/y', params: { text: 'x'.repeat(4_000_000) } });
  await dev.reload(2);
  expect(await dev.serving()).toBe(2);
});

test('a bad line of the client is refused, and the session goes on', async () => {
  const dev = await Dev.connect();
  dev.client.send('this is no JSON\n\n[]\n{"jsonrpc":"2.0"}\n');
  expect(await dev.client.result('ping')).toEqual({});
  const refused = dev.client.received.all.filter(({ error }) => error !== undefined);
  expect(refused.map(({ id, error }) => [id, error?.code])).toEqual(Array(3).fill([null, -32600]));
});

test('an answer of the server that only looks like JSON does not end the session', async () => {
  const dev = await Dev.connect();
  await dev.tookOver(1);
  dev.saveServer({ hold: [{ method: 'tools/list' }] });
  const second = await dev.puppet(2);
  const { id } = await second.event('held');
  const tools = '[{"name":"nan","inputSchema":{"default":NaN}}]';
  await second.do({
    do: 'write',
    line: `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"tools":${tools}}}\n`,
  });
  await dev.client.stderrLine(/generation 2/);
  expect(await dev.serving()).toBe(1);
});
