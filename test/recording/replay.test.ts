import { expect, test } from 'vitest';
import type { NumberedMessage } from '../../src/recording/read.ts';
import { Replay, type ReplayOutcome } from '../../src/recording/replay.ts';
import { scriptOf } from '../../src/recording/script.ts';

type Sent = Record<string, any>;

/** Lines of a recording: what the client says begins with `>`. */
function recording(...entries: readonly (readonly ['>' | '<', unknown, number?])[]): NumberedMessage[] {
  return entries.map(([from, message, generation = 1], index) => ({
    time: '',
    from: from === '>' ? 'client' : 'server',
    generation,
    message,
    line: index + 2,
  }));
}

const request = (id: number | string, method: string, params: object = {}) => ({ id, method, params });
const result = (id: number | string, value: object) => ({ id, result: value });

/** Replays with a server that answers by `answer`, which may also say more by `say`. */
async function replay(
  recorded: readonly NumberedMessage[],
  answer: (message: Sent, say: (message: unknown) => void) => void,
  timeout = 200,
): Promise<{ outcome: ReplayOutcome; sent: Sent[] }> {
  const sent: Sent[] = [];
  const pass: Replay = new Replay(scriptOf(recorded), {
    send(message) {
      sent.push(message as Sent);
      setImmediate(() => answer(message as Sent, (said) => pass.receive(said)));
    },
    masked: (message) => message,
    rules: { ignoreTimes: false, isIgnored: () => false },
    timeout,
  });
  return { outcome: await pass.run(), sent };
}

test('a request is sent when what came before it has come, and not before', async () => {
  const recorded = recording(
    ['>', request(1, 'a')],
    ['>', request(2, 'b')],
    ['<', result(2, {})],
    ['<', { method: 'notifications/custom' }],
    ['>', request(3, 'c')],
    ['<', result(1, {})],
    ['<', result(3, {})],
  );
  const order: string[] = [];
  const { outcome } = await replay(recorded, ({ id, method }, say) => {
    order.push(method);
    if (method === 'b') {
      say(result(id, {}));
      setTimeout(() => {
        order.push('custom');
        say({ method: 'notifications/custom' });
      }, 20);
    } else if (method === 'c') for (const one of [1, 3]) say(result(one, {}));
  });
  expect(order).toEqual(['a', 'b', 'custom', 'c']);
  expect(outcome).toEqual({ kind: 'complete', differences: [], compared: 3 });
});

test('what does not come is named', async () => {
  const recorded = recording(
    ['>', request(1, 'a')],
    ['<', { method: 'notifications/custom' }],
    ['>', request(2, 'b')],
    ['<', result(2, {})],
  );
  const { outcome, sent } = await replay(recorded, () => {}, 50);
  expect(outcome).toMatchObject({ kind: 'timeout', missing: 'notifications/custom', compared: 0 });
  expect(sent).toHaveLength(1);
});

test('what comes by itself, and what mcp-dev makes, is not waited for', async () => {
  const unreliable = ['progress', 'message', 'cancelled', 'tools/list_changed', 'resources/list_changed'];
  const recorded = recording(
    ['>', request(1, 'a')],
    ...unreliable.map((name) => ['<', { method: `notifications/${name}` }] as const),
    ['<', result(1, {})],
    ['>', request(2, 'b')],
    ['<', result(2, {})],
  );
  const { outcome } = await replay(recorded, ({ id }, say) => say(result(id, {})));
  expect(outcome).toMatchObject({ kind: 'complete', compared: 2 });
});

test('of a session with a reload, what each process asks and tells by itself is not waited for', async () => {
  const recorded = recording(
    ['<', request('r1', 'roots/list'), 1],
    ['>', result('r1', { roots: [] })],
    ['>', request(1, 'a'), 1],
    ['<', result(1, {}), 1],
    ['<', request('r2', 'roots/list'), 2],
    ['>', result('r2', { roots: ['two'] }), 2],
    ['>', request(2, 'b'), 2],
    ['<', result(2, {}), 2],
  );
  const { outcome, sent } = await replay(recorded, ({ id, method }, say) => {
    if (method === 'a') say(request('mine', 'roots/list'));
    if (method !== undefined) say(result(id, {}));
  });
  expect(outcome).toMatchObject({ kind: 'complete', compared: 2 });
  expect(sent).toContainEqual(result('mine', { roots: [] }));
});

test('a request of the server that the recording does not know is refused, and a ping is answered', async () => {
  const recorded = recording(['>', request(1, 'a')], ['<', result(1, {})]);
  const { sent } = await replay(recorded, ({ id, method, ...rest }, say) => {
    if (method === 'a') for (const ask of ['ping', 'roots/list']) say(request(ask, ask));
    if (id === 'roots/list') {
      expect(rest.error.code).toBe(-32601);
      say(result(1, {}));
    }
  });
  expect(sent).toContainEqual(expect.objectContaining({ id: 'ping', result: {} }));
});

test('cursors and task ids that the client gives back are those of this server', async () => {
  const recorded = recording(
    ['>', request(1, 'tools/list')],
    ['<', result(1, { tools: [], nextCursor: 'old' })],
    ['>', request(2, 'tools/list', { cursor: 'old' })],
    ['<', result(2, { tools: [] })],
  );
  const { outcome, sent } = await replay(recorded, ({ id, params }, say) => {
    say(result(id, params.cursor === undefined ? { tools: [], nextCursor: 'new' } : { tools: [] }));
  });
  expect(sent[1]).toMatchObject({ params: { cursor: 'new' } });
  expect(outcome).toMatchObject({ kind: 'complete', differences: [] });
});

test('what mcp-dev says and does is left out', async () => {
  const failure = { 'mcp-dev': { reason: 'server_crashed' } };
  const stale = { 'mcp-dev': { stale: true, generation: 1 } };
  const block = (text: string) => ({ type: 'text', text });
  const initialized = {
    capabilities: {
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { listChanged: true },
    },
  };
  const recorded = recording(
    ['>', request(1, 'initialize')],
    ['<', result(1, initialized)],
    ['>', request(2, 'tools/list')],
    ['<', result(2, { tools: [{ name: 'mine' }, { name: 'mcp_dev_status' }] })],
    ['>', request(3, 'tools/call', { name: 'mcp_dev_status' })],
    ['<', result(3, { content: [] })],
    ['>', request(4, 'tools/call', { name: 'mine' })],
    ['<', result(4, { content: [block('failed')], isError: true, _meta: failure })],
    ['>', request(5, 'resources/read')],
    ['<', { id: 5, error: { code: -32603, message: 'x', data: failure } }],
    ['>', request(6, 'tools/call', { name: 'mine' })],
    ['<', result(6, { content: [block('ok'), block('mcp-dev: old code')], _meta: stale })],
    // The server has no prompts, and mcp-dev answered that there are none.
    ['>', request(7, 'prompts/list')],
    ['<', result(7, { prompts: [] })],
  );
  const { outcome, sent } = await replay(recorded, ({ id, method }, say) => {
    if (method === 'initialize') say(result(id, { capabilities: { tools: {} } }));
    else if (method === 'tools/list') say(result(id, { tools: [{ name: 'mine' }] }));
    else if (method === 'prompts/list') say({ id, error: { code: -32601, message: 'no' } });
    else say(result(id, { content: [block('ok')] }));
  });
  expect(outcome).toEqual({ kind: 'complete', differences: [], compared: 4 });
  expect(sent.map(({ id }) => id)).toEqual([1, 2, 4, 5, 6, 7]);
});

test('batches, ids that are used again, and ids 1 and "1"', async () => {
  const recorded = recording(
    ['>', [request(1, 'a'), request('1', 'b')]],
    ['<', [result('1', { b: 1 }), result(1, { a: 1 })]],
    ['>', request(1, 'c')],
    ['<', result(1, { c: 1 })],
  );
  const { outcome, sent } = await replay(recorded, (message, say) => {
    if (Array.isArray(message)) for (const { id, method } of message) say([result(id, { [method]: 1 })]);
    else say(result(message.id, { c: 2 }));
  });
  expect(sent[0]).toHaveLength(2);
  expect(outcome).toMatchObject({
    kind: 'complete',
    compared: 3,
    differences: [{ path: ['result', 'c'], call: { method: 'c', line: 4 } }],
  });
});
