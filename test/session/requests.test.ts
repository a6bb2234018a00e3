import { describe, expect, test } from 'vitest';
import { Driver, handshake } from './driver.ts';

const call = (id: number, name = 'echo') => ({ id, method: 'tools/call', params: { name, arguments: {} } });

describe('a request that meets a reload', () => {
  test('waits for the next generation, which answers it after the client was told', () => {
    const driver = Driver.open();
    driver.event({ type: 'awaited', change: true });
    driver.client(call(2));
    driver.client({ id: 3, method: 'x/unknown' });
    expect(driver.received(1)).not.toContain('tools/call');
    driver.replace(2);
    expect(driver.received(2).slice(-2)).toEqual(['tools/call', 'x/unknown']);
    expect(driver.news()).toEqual(['notifications/tools/list_changed']);
    driver.server(2, { id: 2, result: {} });
    expect(driver.news()).toEqual([2]);
  });

  test('is answered by the old code when the hold is over', () => {
    const driver = Driver.open();
    driver.event({ type: 'awaited', change: true });
    driver.client(call(2));
    driver.event({ type: 'timer', timer: { kind: 'hold' } });
    expect(driver.received(1)).toContain('tools/call');
  });

  test('fails when the hold is over and nothing is there', () => {
    const driver = Driver.open();
    driver.gone(1);
    driver.event({ type: 'awaited', change: true });
    driver.client(call(2));
    driver.event({ type: 'timer', timer: { kind: 'hold' } });
    expect(driver.toClient[0]?.result._meta['mcp-dev'].reason).toBe('hold_timeout');
  });

  test('waits anew for a change that comes after the hold for something else was over', () => {
    const driver = Driver.open();
    driver.event({ type: 'awaited', change: false });
    driver.event({ type: 'timer', timer: { kind: 'hold' } });
    driver.event({ type: 'awaited', change: true });
    driver.client(call(2));
    expect(driver.received(1)).not.toContain('tools/call');
    // But not for every change that follows.
    driver.event({ type: 'timer', timer: { kind: 'hold' } });
    driver.event({ type: 'awaited', change: true });
    expect(driver.received(1)).toContain('tools/call');
  });

  test('goes on at once when the newest source is known to be broken, or was no change after all', () => {
    for (const type of ['broken', 'settled'] as const) {
      const driver = Driver.open();
      driver.event({ type: 'awaited', change: true });
      driver.client(call(2));
      if (type === 'broken') driver.broken();
      else driver.event({ type });
      expect(driver.received(1)).toContain('tools/call');
    }
  });

  test('is dropped when the client cancels it, and no generation hears of it', () => {
    const driver = Driver.open();
    driver.event({ type: 'awaited', change: true });
    driver.client(call(2));
    expect(driver.heldBytes).toBeGreaterThan(0);
    driver.client({ method: 'notifications/cancelled', params: { requestId: 2 } });
    expect(driver.heldBytes).toBe(0);
    driver.replace(2);
    expect(driver.received(2)).not.toContain('tools/call');
    expect([...driver.received(1), ...driver.received(2)]).not.toContain('notifications/cancelled');
  });

  test('is not taken by a generation that was started before a later change', () => {
    const driver = Driver.open();
    driver.event({ type: 'awaited', change: true });
    driver.start(2);
    driver.event({ type: 'awaited', change: true });
    driver.client(call(2));
    driver.answer(2, 'initialize', handshake({ tools: {} }));
    driver.answer(2, 'tools/list', { tools: [] });
    expect(driver.received(2)).not.toContain('tools/call');
    driver.replace(3);
    expect(driver.received(3)).toContain('tools/call');
  });

  test('of a tool with a new output schema waits until the client has read the list', () => {
    const driver = Driver.open({ tools: {} }, [{ name: 'echo' }, { name: 'same' }]);
    driver.event({ type: 'awaited', change: true });
    driver.client(call(2));
    driver.client(call(3, 'same'));
    driver.replace(2, [{ name: 'echo', outputSchema: { type: 'object' } }, { name: 'same' }]);
    expect(
      driver.toServer.filter(({ message }) => message.method === 'tools/call').map((m) => m.message.id),
    ).toEqual([3]);
    driver.client({ id: 4, method: 'tools/list' });
    driver.server(2, { id: 4, result: { tools: [] } });
    expect(driver.last(2, 'tools/call').id).toBe(2);
  });

  test('of a tool with a new output schema waits no longer than a second', () => {
    const driver = Driver.open();
    driver.event({ type: 'awaited', change: true });
    driver.client(call(2));
    driver.replace(2, [{ name: 'echo', outputSchema: { type: 'object' } }]);
    expect(driver.actions).toContainEqual({ do: 'set-timer', timer: { kind: 'schema' }, ms: 1000 });
    driver.event({ type: 'timer', timer: { kind: 'schema' } });
    expect(driver.last(2, 'tools/call').id).toBe(2);
  });
});

describe('a request in flight', () => {
  test('is finished by the generation that has it, with its progress and log messages', () => {
    const driver = Driver.open();
    driver.client({ ...call(2), params: { name: 'echo', _meta: { progressToken: 'p' } } });
    driver.replace(2);
    driver.news();
    driver.server(1, { method: 'notifications/progress', params: { progressToken: 'p', progress: 1 } });
    driver.server(1, { method: 'notifications/message', params: { level: 'info', data: 'x' } });
    driver.server(1, { method: 'notifications/tools/list_changed' });
    driver.server(1, { method: 'notifications/resources/updated', params: { uri: 'x' } });
    const actions = driver.server(1, { id: 2, result: {} });
    expect(driver.news()).toEqual(['notifications/progress', 'notifications/message', 2]);
    expect(actions).not.toContainEqual({ do: 'drained', generation: 1 });
    driver.event({ type: 'timer', timer: { kind: 'keep', generation: 1 } });
    expect(driver.actions).toContainEqual({ do: 'drained', generation: 1 });
    driver.server(1, { method: 'notifications/progress', params: { progressToken: 'p', progress: 2 } });
    expect(driver.news()).toEqual([]);
  });

  test('fails when the drain ends, in the shape that is promised', () => {
    const driver = Driver.open();
    driver.client(call(2));
    driver.client({ id: 3, method: 'x/unknown', params: { uri: 'x' } });
    driver.replace(2);
    driver.event({ type: 'timer', timer: { kind: 'keep', generation: 1 } });
    driver.news();
    const actions = driver.event({ type: 'timer', timer: { kind: 'drain', generation: 1 } });
    expect(driver.toClient[0]).toMatchObject({
      id: 2,
      result: {
        isError: true,
        _meta: {
          'mcp-dev': { reason: 'server_restarted', generation: 1, mayHaveExecuted: true, retryable: false },
        },
      },
    });
    expect(driver.toClient[1]).toMatchObject({
      id: 3,
      error: { code: -32603, data: { 'mcp-dev': { reason: 'server_restarted', retryable: false } } },
    });
    expect(actions).toContainEqual({ do: 'drained', generation: 1 });
  });

  test('fails when its generation crashes, and a late answer of it is never heard', () => {
    const driver = Driver.open();
    driver.client(call(2));
    driver.gone(1);
    expect(driver.toClient[0]?.result._meta['mcp-dev']).toEqual({
      reason: 'server_crashed',
      generation: 1,
      mayHaveExecuted: true,
      retryable: false,
      stderr: 'last words',
    });
    driver.server(1, { id: 2, result: {} });
    expect(driver.toClient).toHaveLength(1);
  });

  test('that the client cancels is forgotten, and a late answer is dropped without a word', () => {
    const driver = Driver.open();
    driver.client(call(2));
    driver.client({ method: 'notifications/cancelled', params: { requestId: 2 } });
    expect(driver.received(1)).toContain('notifications/cancelled');
    expect(driver.server(1, { id: 2, result: {} })).toEqual([]);
  });

  test('is answered once: a second answer, and one that nobody asked for, are dropped and named', () => {
    const driver = Driver.open();
    driver.client(call(2));
    driver.server(1, { id: 2, result: {} });
    driver.news();
    expect(driver.server(1, { id: 2, result: {} })).toMatchObject([{ do: 'warn' }]);
    expect(driver.server(1, { id: 'stray', result: {} })).toMatchObject([{ do: 'warn' }]);
    expect(driver.news()).toEqual([]);
  });

  test('has an id that a server with doubles for numbers gives back rounded', () => {
    const driver = Driver.open();
    driver.client('{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call","params":{"name":"echo"}}');
    driver.server(1, '{"jsonrpc":"2.0","id":9007199254740992,"result":{}}');
    expect(driver.toClient).toHaveLength(1);
  });

  test('keeps the bytes of its answer', () => {
    const driver = Driver.open();
    driver.client(call(2));
    const text = '{ "jsonrpc":"2.0", "id":2,"result":{"a":1.0,"a":2,"z":1e400} }';
    driver.server(1, text);
    expect(driver.lastText).toBe(text);
  });
});

test('an id that is in use is not taken a second time', () => {
  const driver = Driver.open();
  driver.client(call(2));
  expect(driver.client(call(2))).toMatchObject([{ do: 'warn' }]);
  expect(driver.received(1).filter((method) => method === 'tools/call')).toHaveLength(1);
});

test('what is no message is refused', () => {
  const driver = Driver.open();
  driver.client('not json');
  driver.client('[{"jsonrpc":"2.0","id":1,"method":"ping"}]');
  expect(driver.toClient.map(({ id, error }) => [id, error.code])).toEqual([
    [null, -32600],
    [null, -32600],
  ]);
});

test.each([
  ['prompts/list', { prompts: [] }],
  ['resources/list', { resources: [] }],
  ['resources/templates/list', { resourceTemplates: [] }],
  ['completion/complete', { completion: { values: [] } }],
  ['logging/setLevel', {}],
])('%s of a server that cannot do it is empty and no error', (method, empty) => {
  const driver = Driver.open();
  driver.client({ id: 2, method, params: {} });
  driver.server(1, { id: 2, error: { code: -32601, message: 'Method not found' } });
  expect(driver.toClient).toEqual([{ jsonrpc: '2.0', id: 2, result: empty }]);
});

test('an error of a server that can do it passes', () => {
  const driver = Driver.open({ prompts: {} });
  driver.client({ id: 2, method: 'prompts/list' });
  driver.server(1, { id: 2, error: { code: -32601, message: 'Method not found' } });
  expect(driver.toClient[0]?.error.code).toBe(-32601);
});
