import { describe, expect, test } from 'vitest';
import { Driver, handshake } from './driver.ts';

const READ_ONLY = { name: 'look', annotations: { readOnlyHint: true } };
const IDEMPOTENT = { name: 'put', annotations: { idempotentHint: true } };
const TOOLS = [{ name: 'echo' }, READ_ONLY, IDEMPOTENT];

const call = (id: number, name: string, more: object = {}) => {
  return { id, method: 'tools/call', params: { name, arguments: {}, ...more } };
};

/** Generation 1 has the request and crashes; generation 2 with these tools takes over. */
function crashWith(driver: Driver, request: object, tools: object[] = TOOLS): void {
  driver.client(request as { method: string });
  driver.news();
  driver.gone(1);
  driver.event({ type: 'awaited', change: true });
  driver.replace(2, tools);
}

const wasSentAgain = (driver: Driver, method: string) => driver.received(2).includes(method);

describe('a request that a crash interrupts', () => {
  test.each([
    ['prompts/get', { name: 'p' }],
    ['resources/read', { uri: 'u' }],
    ['completion/complete', {}],
    ['tools/list', {}],
  ])('%s is sent again, and answered once', (method, params) => {
    const driver = Driver.open({ tools: {} }, TOOLS);
    crashWith(driver, { id: 2, method, params });
    expect(wasSentAgain(driver, method)).toBe(true);
    expect(driver.news()).not.toContain(2);
    driver.server(2, { id: 2, result: {} });
    expect(driver.news()).toEqual([2]);
  });

  test('is sent again when it calls a tool that both generations call read-only', () => {
    const driver = Driver.open({ tools: {} }, TOOLS);
    crashWith(driver, call(2, 'look'));
    expect(driver.last(2, 'tools/call').params).toEqual(call(2, 'look').params);
  });

  test.each([
    ['it changes something', 'safe', call(2, 'echo'), TOOLS],
    ['it is idempotent only, by default', 'safe', call(2, 'put'), TOOLS],
    ['the next generation does not call it read-only', 'safe', call(2, 'look'), [{ name: 'look' }]],
    ['it makes a task', 'safe', call(2, 'look', { task: { ttl: 1 } }), TOOLS],
    ['it carries answers of the user', 'safe', call(2, 'look', { inputResponses: {} }), TOOLS],
    ['it goes on from an earlier state', 'safe', call(2, 'look', { requestState: 'x' }), TOOLS],
    ['nothing may be sent again', 'never', call(2, 'look'), TOOLS],
  ] as const)('fails when %s', (_, replay, request, tools) => {
    const driver = Driver.open({ tools: {} }, TOOLS, { replay });
    crashWith(driver, request, [...tools]);
    expect(wasSentAgain(driver, 'tools/call')).toBe(false);
    const answer = driver.toClient.find(({ id }) => id === 2);
    expect(answer?.result._meta['mcp-dev']).toMatchObject({
      reason: 'server_crashed',
      mayHaveExecuted: true,
    });
  });

  test('is sent again when it calls an idempotent tool and that is wanted', () => {
    const driver = Driver.open({ tools: {} }, TOOLS, { replay: 'idempotent' });
    crashWith(driver, call(2, 'put'));
    expect(wasSentAgain(driver, 'tools/call')).toBe(true);
  });

  test('fails when the server had asked the client something in its course', () => {
    const driver = Driver.open({ tools: {} }, TOOLS);
    driver.client(call(2, 'look'));
    driver.server(1, { id: 0, method: 'roots/list' });
    driver.gone(1);
    expect(driver.toClient.some(({ id }) => id === 2)).toBe(true);
  });

  test('fails when the second generation crashes too', () => {
    const driver = Driver.open({ tools: {} }, TOOLS);
    crashWith(driver, call(2, 'look'));
    driver.news();
    driver.gone(2);
    expect(driver.news()).toContain(2);
  });

  test('never falls back behind the progress that the client has seen', () => {
    const driver = Driver.open({ tools: {} }, TOOLS);
    const progress = (generation: number, value: number) => {
      const params = { progressToken: 7, progress: value };
      driver.server(generation, { method: 'notifications/progress', params });
    };
    driver.client(call(2, 'look', { _meta: { progressToken: 7 } }));
    progress(1, 3);
    driver.gone(1);
    driver.event({ type: 'awaited', change: true });
    driver.replace(2, TOOLS);
    driver.toClient.length = 0;
    for (const value of [1, 3, 4, 5]) progress(2, value);
    expect(driver.toClient.map(({ params }) => params.progress)).toEqual([4, 5]);
  });
});

describe('the time to drain', () => {
  const DRAIN = { kind: 'drain', generation: 1 };
  const clock = (driver: Driver): unknown[] =>
    driver.actions.splice(0).filter((action) => 'timer' in action && action.timer.kind === 'drain');

  test('stands still while the user is asked, and goes on with what is left', () => {
    const driver = Driver.open({ tools: {} }, TOOLS);
    driver.client(call(2, 'echo'));
    driver.replace(2, TOOLS);
    expect(clock(driver)).toEqual([
      { do: 'set-timer', timer: DRAIN, ms: 60_000 },
      { do: 'resume-timer', timer: DRAIN },
    ]);
    driver.server(1, { id: 'one', method: 'elicitation/create' });
    driver.server(1, { id: 'two', method: 'sampling/createMessage' });
    driver.server(1, { id: 'three', method: 'roots/list' });
    const [one, two] = driver.toClient.slice(-3).map(({ id }) => id as string);
    driver.client({ id: one as string, result: {} });
    expect(clock(driver)).toEqual(Array(3).fill({ do: 'pause-timer', timer: DRAIN }));
    driver.client({ id: two as string, result: {} });
    expect(clock(driver)).toEqual([{ do: 'resume-timer', timer: DRAIN }]);
  });

  test('does not begin to run while a question is open that was asked before', () => {
    const driver = Driver.open({ tools: {} }, TOOLS);
    driver.client(call(2, 'echo'));
    driver.server(1, { id: 'q', method: 'elicitation/create' });
    driver.event({ type: 'retire', generation: 1 });
    expect(clock(driver)).toEqual([
      { do: 'set-timer', timer: DRAIN, ms: 10_000 },
      { do: 'pause-timer', timer: DRAIN },
    ]);
    driver.server(1, { method: 'notifications/cancelled', params: { requestId: 'q' } });
    expect(clock(driver)).toEqual([{ do: 'resume-timer', timer: DRAIN }]);
  });
});

test('what is still open when a drain ends goes to the next generation, if it is harmless', () => {
  const driver = Driver.open({ tools: {} }, TOOLS);
  driver.client(call(2, 'look'));
  driver.replace(2, TOOLS);
  driver.event({ type: 'timer', timer: { kind: 'drain', generation: 1 } });
  expect(driver.last(2, 'tools/call').id).toBe(2);
  driver.server(1, { id: 2, result: { late: true } });
  driver.server(2, { id: 2, result: {} });
  expect(driver.toClient.filter(({ id }) => id === 2)).toHaveLength(1);
});

describe('old code', () => {
  const stale = (reason: string) => ({ stale: true, generation: 1, reason });

  test('says so in its results: at length at first, then in a line', () => {
    const driver = Driver.open({ tools: {} }, TOOLS);
    driver.broken();
    for (const id of [2, 3]) {
      driver.client(call(id, 'echo'));
      driver.server(1, {
        id,
        result: { content: [{ type: 'text', text: 'x' }], structuredContent: { a: 1 } },
      });
    }
    const [first, second] = driver.toClient;
    expect(first?.result._meta).toEqual({ 'mcp-dev': stale('build_failed') });
    expect(first?.result.structuredContent).toEqual({ a: 1 });
    expect(first?.result.content).toHaveLength(2);
    expect(first?.result.content[1].text).toMatch(/^mcp-dev: .*no build[\s\S]*TS1005/);
    expect(second?.result.content[1].text).toMatch(/^mcp-dev: [^\n]*no build$/);
  });

  test('keeps what a result has in its _meta, and adds no content where there is none', () => {
    const driver = Driver.open({ tools: {} }, TOOLS);
    driver.broken();
    driver.client({ id: 2, method: 'resources/read', params: { uri: 'u' } });
    driver.server(1, '{"jsonrpc":"2.0","id":2,"result":{"contents":[],"_meta":{"a":1.0}}}');
    expect(driver.lastText).toBe(
      '{"jsonrpc":"2.0","id":2,"result":{"contents":[],"_meta":{"mcp-dev":{"stale":true,"generation":1,"reason":"build_failed"},"a":1.0}}}',
    );
  });

  test('is not called at all when that is wanted', () => {
    const driver = Driver.open({ tools: {} }, TOOLS, { stale: 'error' });
    driver.broken();
    driver.client(call(2, 'echo'));
    expect(driver.received(1)).not.toContain('tools/call');
    expect(driver.toClient[0]?.result).toMatchObject({ isError: true });
  });

  test('is not mentioned in the content when that is wanted', () => {
    const driver = Driver.open({ tools: {} }, TOOLS, { stale: 'silent' });
    driver.broken();
    driver.client(call(2, 'echo'));
    driver.server(1, { id: 2, result: { content: [] } });
    expect(driver.toClient[0]?.result).toEqual({ content: [], _meta: { 'mcp-dev': stale('build_failed') } });
  });

  test('is told of in the log of a client that has one', () => {
    const driver = Driver.open({ tools: {}, logging: {} }, TOOLS);
    driver.broken();
    expect(driver.toClient).toEqual([]);
    driver.event({ type: 'settled' });
    driver.client({ id: 2, method: 'logging/setLevel', params: { level: 'info' } });
    driver.server(1, { id: 2, result: {} });
    driver.news();
    driver.broken();
    expect(driver.toClient[0]).toMatchObject({
      method: 'notifications/message',
      params: { level: 'warning', logger: 'mcp-dev' },
    });
  });

  test('a call that reached it before the change is not marked', () => {
    const driver = Driver.open({ tools: {} }, TOOLS);
    driver.client(call(2, 'echo'));
    driver.broken();
    driver.server(1, { id: 2, result: { content: [] } });
    expect(driver.toClient[0]?.result).toEqual({ content: [] });
  });
});

describe('the generation before', () => {
  test('is kept for two seconds, and serves again when its successor crashes', () => {
    const driver = Driver.open({ tools: {} }, TOOLS);
    driver.start(2);
    driver.answer(2, 'initialize', handshake({ tools: {} }));
    const actions = driver.answer(2, 'tools/list', { tools: [] });
    expect(actions).toContainEqual({ do: 'set-timer', timer: { kind: 'keep', generation: 1 }, ms: 2000 });
    expect(actions).not.toContainEqual({ do: 'drained', generation: 1 });
    driver.client({ id: 9, method: 'resources/read', params: { uri: 'u' } });
    driver.news();
    driver.gone(2);
    driver.event({ type: 'revert', generation: 1 });
    driver.broken();
    expect(driver.news()).toContain('notifications/tools/list_changed');
    expect(driver.last(1, 'resources/read').id).toBe(9);
  });

  test('goes when the two seconds are over', () => {
    const driver = Driver.open({ tools: {} }, TOOLS);
    driver.replace(2, TOOLS);
    const actions = driver.event({ type: 'timer', timer: { kind: 'keep', generation: 1 } });
    expect(actions).toContainEqual({ do: 'drained', generation: 1 });
  });

  test('of three that drain goes when a fourth begins to', () => {
    const driver = Driver.open({ tools: {} }, TOOLS);
    for (const generation of [2, 3, 4]) driver.replace(generation, TOOLS);
    expect(driver.actions).not.toContainEqual({ do: 'drained', generation: 1 });
    driver.replace(5, TOOLS);
    expect(driver.actions).toContainEqual({ do: 'drained', generation: 1 });
  });
});

test('a cursor of an earlier generation is refused, and one of this generation is not', () => {
  const driver = Driver.open({ tools: {} }, TOOLS);
  driver.client({ id: 2, method: 'tools/list' });
  driver.server(1, { id: 2, result: { tools: [], nextCursor: 'page 2' } });
  driver.client({ id: 3, method: 'tools/list', params: { cursor: 'page 2' } });
  expect(driver.last(1, 'tools/list').id).toBe(3);
  driver.server(1, { id: 3, result: { tools: [] } });
  driver.replace(2, TOOLS);
  driver.news();
  driver.client({ id: 4, method: 'tools/list', params: { cursor: 'page 2' } });
  expect(driver.toClient[0]).toMatchObject({ id: 4, error: { code: -32602 } });
  driver.client({ id: 5, method: 'tools/list', params: { cursor: 'unheard of' } });
  expect(driver.last(2, 'tools/list').id).toBe(5);
});

describe('a batch', () => {
  const open = () => {
    const driver = new Driver();
    driver.start(1);
    driver.client({
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-03-26', capabilities: {}, clientInfo: { name: 'c', version: '1' } },
    });
    driver.answer(1, 'initialize', handshake({ tools: {} }, '2025-03-26'));
    driver.client({ method: 'notifications/initialized' });
    driver.answer(1, 'tools/list', { tools: TOOLS });
    driver.news();
    return driver;
  };
  const batch =
    '[{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"echo","x":1.0}}, {"jsonrpc":"2.0","method":"x/n"},{"jsonrpc":"2.0","id":"3","method":"prompts/list"}]';

  test('is given to the server one by one, and answered as one', () => {
    const driver = open();
    driver.client(batch);
    expect(driver.received(1).slice(-3)).toEqual(['tools/call', 'x/n', 'prompts/list']);
    driver.server(1, '{"jsonrpc":"2.0","id":"3","result":{"prompts":[]}}');
    expect(driver.toClient).toEqual([]);
    driver.server(1, '{"jsonrpc":"2.0","id":2,"result":{"z":1.0}}');
    expect(driver.lastText).toBe(
      '[{"jsonrpc":"2.0","id":"3","result":{"prompts":[]}},{"jsonrpc":"2.0","id":2,"result":{"z":1.0}}]',
    );
  });

  test('is complete without what was cancelled', () => {
    const driver = open();
    driver.client(batch);
    driver.server(1, '{"jsonrpc":"2.0","id":"3","result":{}}');
    driver.client({ method: 'notifications/cancelled', params: { requestId: 2 } });
    expect(driver.lastText).toBe('[{"jsonrpc":"2.0","id":"3","result":{}}]');
  });

  test('of a server is taken apart', () => {
    const driver = open();
    driver.client({ id: 2, method: 'x/y' });
    driver.server(1, '[{"jsonrpc":"2.0","method":"x/n"},{"jsonrpc":"2.0","id":2,"result":{}}]');
    expect(driver.news()).toEqual(['x/n', 2]);
  });
});

describe('a task', () => {
  const withTask = () => {
    const driver = Driver.open({ tools: {}, tasks: {} }, TOOLS);
    driver.client(call(2, 'echo', { task: { ttl: 1000 } }));
    driver.server(1, { id: 2, result: { task: { taskId: 't1', status: 'working' } } });
    driver.replace(2, TOOLS);
    driver.news();
    return driver;
  };

  test('is asked for where it was made, even while a reload is on its way', () => {
    const driver = withTask();
    driver.event({ type: 'awaited', change: true });
    driver.client({ id: 3, method: 'tasks/get', params: { taskId: 't1' } });
    expect(driver.last(1, 'tasks/get').id).toBe(3);
  });

  test('keeps its generation until it is over', () => {
    const driver = withTask();
    driver.event({ type: 'timer', timer: { kind: 'keep', generation: 1 } });
    expect(driver.actions).not.toContainEqual({ do: 'drained', generation: 1 });
    driver.server(1, { method: 'notifications/tasks/status', params: { taskId: 't1', status: 'completed' } });
    expect(driver.actions).toContainEqual({ do: 'drained', generation: 1 });
  });

  test('is lost with its generation', () => {
    const driver = withTask();
    driver.client({ id: 3, method: 'tasks/result', params: { taskId: 't1' } });
    driver.gone(1);
    expect(driver.toClient[0]).toMatchObject({ id: 3, error: { code: -32602 } });
    driver.client({ id: 4, method: 'tasks/get', params: { taskId: 't1' } });
    expect(driver.last(2, 'tasks/get').id).toBe(4);
  });
});

test('a client that must not wait any longer gets what the server said the last time', () => {
  const driver = new Driver();
  const result = { ...handshake({ tools: {}, logging: {} }), instructions: 'of old' };
  driver.event({ type: 'remembered', remembered: { initialize: { asked: '2025-06-18', result } } });
  driver.client({ id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18' } });
  driver.broken();
  expect(driver.toClient[0]?.result).toMatchObject({
    capabilities: { logging: {}, prompts: { listChanged: true } },
    serverInfo: { name: 'simulated' },
  });
  expect(driver.toClient[0]?.result.instructions).toContain('no build');
});

test('a client that cancels everything does not fill our memory, nor does a server that asks everything', () => {
  const driver = Driver.open({ tools: {} }, TOOLS);
  for (let id = 0; id < 10_001; id++) driver.server(1, { id, method: 'roots/list' });
  expect(driver.toClient).toHaveLength(10_000);
  expect(driver.toServer.at(-1)?.message).toMatchObject({ id: 10_000, error: { code: -32603 } });
});

test('a question whose id or progress token is too long to be kept is refused', () => {
  const driver = Driver.open({ tools: {} }, TOOLS);
  const long = 'x'.repeat(5000);
  driver.server(1, { id: long, method: 'roots/list' });
  driver.server(1, { id: 1, method: 'roots/list', params: { _meta: { progressToken: long } } });
  expect(driver.toServer.slice(-2).map(({ message }) => [message.id, message.error.code])).toEqual([
    [long, -32603],
    [1, -32603],
  ]);
  expect(driver.news()).toEqual([]);
});
