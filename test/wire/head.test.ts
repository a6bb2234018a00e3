import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Head, readHead } from '../../src/wire/head.ts';
import { Line, LineSplitter } from '../../src/wire/line.ts';

/** An id as the key that it is to be: small counting numbers as such. */
function key(id: string | number): string | number {
  return typeof id === 'number' && id >= 0 && id < 1e9 ? id : JSON.stringify(id);
}

/** What a message is, by the slow and sure way. */
function judge(text: string): Head {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return { kind: 'invalid' };
  }
  if (Array.isArray(message)) return { kind: 'batch' };
  if (typeof message !== 'object' || message === null) return { kind: 'invalid' };
  const { jsonrpc, id, method } = message as { jsonrpc?: unknown; id?: unknown; method?: unknown };
  if (jsonrpc !== '2.0') return { kind: 'invalid' };
  const hasId = typeof id === 'string' || typeof id === 'number';
  if (!hasId && 'id' in message) return { kind: 'invalid' };
  if (typeof method === 'string') {
    return hasId ? { kind: 'request', id: key(id), method } : { kind: 'notification', method };
  }
  if (!hasId) return { kind: 'invalid' };
  if ('result' in message) return { kind: 'response', id: key(id), outcome: 'result' };
  if ('error' in message) return { kind: 'response', id: key(id), outcome: 'error' };
  return { kind: 'invalid' };
}

/** The line as it comes over a pipe, cut into chunks. */
function received(text: string, places: readonly number[] = []): Line {
  const bytes = Buffer.from(`${text}\n`);
  const lines: Line[] = [];
  const splitter = new LineSplitter({ line: (line) => lines.push(line), overflow: () => {} });
  const at = [...new Set(places.map((place) => place % bytes.length))].sort((a, b) => a - b);
  for (const [index, start] of [0, ...at].entries())
    splitter.push(bytes.subarray(start, at[index] ?? bytes.length));
  return lines[0] as Line;
}

const id = fc.oneof(
  fc.integer(),
  fc.string(),
  fc.constantFrom(0, -1, 'a"b', 'tail\\', '{}', ',"id":7}', 'ü', 9007199254740991),
);
const body = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(
    { text: '"id":1}' },
    { id: 99, method: 'inner' },
    { deep: [{ id: '"' }] },
    '}',
    'x","id":3',
  ),
);
const method = fc.constantFrom('ping', 'tools/call', 'notifications/progress', 'custom/"x"', 'ünïcode');
const message = fc.oneof(
  fc.record(
    { jsonrpc: fc.constant('2.0'), id, method, params: body },
    { requiredKeys: ['jsonrpc', 'id', 'method'] },
  ),
  fc.record({ jsonrpc: fc.constant('2.0'), method, params: body }, { requiredKeys: ['jsonrpc', 'method'] }),
  fc.record({ jsonrpc: fc.constant('2.0'), id, result: body }),
  fc.record(
    { jsonrpc: fc.constant('2.0'), id, error: body, extra: body },
    { requiredKeys: ['jsonrpc', 'id', 'error'] },
  ),
);

/** The same members in any order. */
const shuffled = message.chain((value) =>
  fc
    .shuffledSubarray(Object.keys(value), { minLength: Object.keys(value).length })
    .map((keys) => Object.fromEntries(keys.map((key) => [key, (value as Record<string, unknown>)[key]]))),
);

describe('the head of a message', () => {
  test('is what parsing the whole message says, in any order of members and cut anywhere', () => {
    fc.assert(
      fc.property(
        shuffled,
        fc.array(fc.nat(), { maxLength: 6 }),
        fc.constantFrom(0, 2),
        (value, places, indent) => {
          const text = JSON.stringify(value, undefined, indent).replaceAll('\n', ' ');
          expect(readHead(received(text, places))).toEqual(judge(text));
        },
      ),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['console.log in a server', 'invalid'],
    ['{"jsonrpc":"2.0","id":null,"method":"ping"}', 'invalid'],
    ['{"jsonrpc":"1.0","id":1,"method":"ping"}', 'invalid'],
    ['{"id":1,"result":{}}', 'invalid'],
    ['{"jsonrpc":"2.0","method":"ping","id":', 'invalid'],
    ['{ name: 1 }', 'invalid'],
    ['"jsonrpc"', 'invalid'],
    ['[]', 'batch'],
    ['', 'blank'],
    [' \r', 'blank'],
  ])('%j is %s', (text, kind) => {
    expect(readHead(received(text)).kind).toBe(kind);
  });

  test('an id keeps what a number type would lose', () => {
    const line = Line.of('{"jsonrpc":"2.0","id":9007199254740993,"result":{}}');
    expect(readHead(line)).toMatchObject({ id: '9007199254740993' });
  });

  test('an id with an escape is the id without it', () => {
    expect(readHead(Line.of('{"jsonrpc":"2.0","id":"\\u0061","result":{}}'))).toMatchObject({ id: '"a"' });
  });

  test('a method with an escape is the method without it, and one with a wrong escape is just unknown', () => {
    const head = (method: string) => readHead(Line.of(`{"jsonrpc":"2.0","method":"${method}"}`));
    expect(head('\\u0061')).toEqual({ kind: 'notification', method: 'a' });
    expect(head('\\x')).toMatchObject({ kind: 'notification' });
  });
});
