import { expect, test } from 'vitest';
import { Driver, handshake, INITIALIZE } from './driver.ts';

test('the first answer is the client’s: its id, padded capabilities, and every other byte as it came', () => {
  const driver = new Driver();
  driver.start(1);
  driver.client(INITIALIZE);
  const { id } = driver.last(1, 'initialize');
  driver.server(
    1,
    `{"result":{"x":1.0,"protocolVersion":"2025-06-18","capabilities":{"tools":{"y":1},"logging":{}} },"jsonrpc":"2.0","id":${JSON.stringify(id)}}`,
  );
  expect(driver.lastText).toBe(
    '{"result":{"x":1.0,"protocolVersion":"2025-06-18","capabilities":{"tools":{"y":1,"listChanged":true},"logging":{},"prompts":{"listChanged":true},"resources":{"listChanged":true}} },"jsonrpc":"2.0","id":1}',
  );
});

test('a handshake that comes before any process waits for the first one', () => {
  const driver = new Driver();
  driver.client(INITIALIZE);
  expect(driver.toServer).toEqual([]);
  driver.start(1);
  driver.answer(1, 'initialize', handshake({}));
  expect(driver.news()).toEqual([1]);
});

test('a handshake whose process died is answered by the next one', () => {
  const driver = new Driver();
  driver.start(1);
  driver.client(INITIALIZE);
  driver.gone(1);
  expect(driver.news()).toEqual([]);
  driver.start(2);
  driver.answer(2, 'initialize', handshake({}));
  expect(driver.news()).toEqual([1]);
});

test('a later generation gets the client’s handshake with the negotiated version, and is told that it is over', () => {
  const driver = new Driver();
  driver.start(1);
  driver.client({ ...INITIALIZE, params: { ...INITIALIZE.params, protocolVersion: '2099-01-01' } });
  driver.answer(1, 'initialize', handshake({ tools: {} }, '2025-11-25'));
  driver.client({ method: 'notifications/initialized' });
  driver.start(2);
  expect(driver.last(2, 'initialize').params).toEqual({
    ...INITIALIZE.params,
    protocolVersion: '2025-11-25',
  });
  driver.answer(2, 'initialize', handshake({ tools: {} }, '2025-11-25'));
  expect(driver.received(2)).toEqual(['initialize', 'notifications/initialized', 'tools/list']);
});

test('log level and subscriptions are applied again', () => {
  const driver = Driver.open({ tools: {}, logging: {}, resources: { subscribe: true } });
  driver.client({ id: 2, method: 'logging/setLevel', params: { level: 'debug' } });
  driver.answer(1, 'logging/setLevel', {});
  for (const [id, uri] of ['a:1', 'a:2', 'a:3'].entries()) {
    driver.client({ id: id + 10, method: 'resources/subscribe', params: { uri } });
    driver.server(1, { id: id + 10, result: {} });
  }
  driver.client({ id: 20, method: 'resources/unsubscribe', params: { uri: 'a:2' } });
  driver.server(1, { id: 20, result: {} });
  driver.client({ id: 21, method: 'resources/subscribe', params: { uri: 'a:refused' } });
  driver.server(1, { id: 21, error: { code: -32602, message: 'no' } });
  driver.start(2);
  driver.answer(2, 'initialize', handshake({ tools: {} }));
  const state = driver.toServer.filter(({ generation, message }) => generation === 2 && message.params);
  expect(state.map(({ message }) => message.params).slice(1)).toEqual([
    { level: 'debug' },
    { uri: 'a:1' },
    { uri: 'a:3' },
    {},
  ]);
  driver.news();
  driver.answer(2, 'tools/list', { tools: [] });
  expect(driver.toClient.filter(({ method }) => method === 'notifications/resources/updated')).toEqual([
    { jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: 'a:1' } },
    { jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: 'a:3' } },
  ]);
});

test('a generation that lost the protocol version cannot take over', () => {
  const driver = Driver.open();
  driver.start(2);
  const actions = driver.answer(2, 'initialize', handshake({ tools: {} }, '2024-11-05'));
  expect(actions).toMatchObject([{ do: 'rejected', generation: 2, failure: { reason: 'start_failed' } }]);
  expect(JSON.stringify(actions)).toContain('reconnect the client to use 2024-11-05');
  expect(driver.news()).toEqual([]);
});

test('a generation whose tools cannot be listed cannot take over', () => {
  const driver = Driver.open();
  driver.start(2);
  driver.answer(2, 'initialize', handshake({ tools: {} }));
  const error = { code: -32603, message: 'schema is broken' };
  const actions = driver.server(2, { id: driver.last(2, 'tools/list').id!, error });
  expect(JSON.stringify(actions)).toContain('schema is broken');
  expect(actions).toMatchObject([{ do: 'rejected', generation: 2 }]);
});

test('the server’s refusal of the handshake is the client’s to see, and it may try again', () => {
  const driver = new Driver();
  driver.start(1);
  driver.client(INITIALIZE);
  driver.server(1, { id: driver.last(1, 'initialize').id!, error: { code: -32022, message: 'modern only' } });
  expect(driver.toClient).toMatchObject([{ id: 1, error: { code: -32022 } }]);
  driver.client({ ...INITIALIZE, id: 2 });
  driver.answer(1, 'initialize', handshake({}));
  expect(driver.toClient[1]).toMatchObject({ id: 2, result: { protocolVersion: '2025-06-18' } });
});

test('after 8 s the client gets an answer of ours, and lists wait for the server', () => {
  const driver = new Driver();
  driver.event({ type: 'awaited', change: true });
  driver.client(INITIALIZE);
  expect(driver.actions).toContainEqual({ do: 'set-timer', timer: { kind: 'answer' }, ms: 8000 });
  driver.event({ type: 'timer', timer: { kind: 'answer' } });
  expect(driver.toClient).toMatchObject([
    {
      id: 1,
      result: {
        protocolVersion: '2025-06-18',
        capabilities: { tools: { listChanged: true }, prompts: {}, resources: {} },
        serverInfo: { name: 'driven' },
      },
    },
  ]);
  driver.news();
  driver.client({ method: 'notifications/initialized' });
  driver.client({ id: 2, method: 'tools/list' });
  expect(driver.news()).toEqual([]);
  driver.replace(1, [{ name: 'late' }]);
  expect(driver.news()[0]).toBe('notifications/tools/list_changed');
  driver.server(1, { id: 2, result: { tools: [{ name: 'late' }] } });
  expect(driver.news()).toEqual([2]);
});

test('certain failure is answered at once, is named in the instructions, and heals', () => {
  const driver = new Driver();
  driver.client(INITIALIZE);
  driver.broken();
  expect(driver.toClient[0]?.result.instructions).toContain('no build');
  expect(driver.toClient[0]?.result.instructions).toContain('TS1005');
  driver.client({ method: 'notifications/initialized' });
  driver.client({ id: 2, method: 'tools/list' });
  driver.client({ id: 3, method: 'tools/call', params: { name: 'x' } });
  driver.client({ id: 4, method: 'resources/read', params: { uri: 'x' } });
  expect(driver.toClient[1]).toEqual({ jsonrpc: '2.0', id: 2, result: { tools: [] } });
  expect(driver.toClient[2]?.result).toMatchObject({
    isError: true,
    _meta: {
      'mcp-dev': { reason: 'build_failed', mayHaveExecuted: false, retryable: true, stderr: 'TS1005' },
    },
  });
  expect(driver.toClient[3]?.error).toMatchObject({
    code: -32603,
    data: { 'mcp-dev': { reason: 'build_failed' } },
  });
  driver.news();
  driver.replace(1);
  expect(driver.news()).toContain('notifications/tools/list_changed');
});

test('ping is answered while nothing is up', () => {
  const driver = new Driver();
  driver.client({ id: 'p', method: 'ping' });
  expect(driver.toClient).toEqual([{ jsonrpc: '2.0', id: 'p', result: {} }]);
});
