import { describe, expect, test } from 'vitest';
import { enveloped } from '../kit/messages.ts';
import {
  complete,
  Driver,
  discovery,
  handshake,
  INITIALIZE,
  openModern,
  readAll,
  replaceModern,
} from './driver.ts';

const CALL = {
  method: 'tools/call',
  params: enveloped({ name: 'x', arguments: {} }),
};
const LIST = { method: 'tools/list', params: enveloped() };
const DISCOVER = { method: 'server/discover', params: enveloped() };
const UNSUPPORTED = {
  code: -32022,
  message: 'no',
  data: { supported: ['2026-07-28'], requested: 'x' },
};

/** Which purpose a candidate finds: `server/discover` in the modern era, `initialize` in the other, or neither. */
function greetingOf(driver: Driver, generation: number): string | undefined {
  driver.start(generation);
  return driver.received(generation)[0];
}

/** A session in which generation 1 was given this request, and answered it. */
function answered(request: object, response: object): Driver {
  const driver = new Driver();
  driver.start(1);
  driver.client({ id: 1, ...request });
  driver.server(1, { id: 1, ...response });
  return driver;
}

describe('the era', () => {
  test('is settled by a result that only its servers give', () => {
    const driver = answered(LIST, { result: complete({ tools: [] }) });
    expect(driver.isSettled).toBe(true);
    expect(greetingOf(driver, 2)).toBe('server/discover');
    expect(driver.last(2, 'server/discover').params).toEqual(enveloped());
  });

  test.each([
    ['what a server tells of itself', DISCOVER, { result: discovery() }],
    ['an error', CALL, { error: { code: -32602, message: 'no' } }],
    ['an error of the version', CALL, { error: UNSUPPORTED }],
    ['a result of a server that does not know the era', LIST, { result: { tools: [] } }],
    ['a result for a request without an envelope', { method: 'tools/list' }, { result: complete({}) }],
  ])('is not settled by %s', (_, request, response) => {
    const driver = answered(request, response);
    expect(driver.isSettled).toBe(false);
    expect(greetingOf(driver, 2)).toBeUndefined();
  });

  test('is settled by what we answer ourselves, and the next server is asked whether it speaks it', () => {
    const driver = new Driver();
    driver.broken();
    driver.client({ id: 1, ...LIST });
    expect(driver.isSettled).toBe(true);
    expect(greetingOf(driver, 1)).toBe('server/discover');
    driver.answer(1, 'server/discover', discovery({ tools: {} }));
    readAll(driver, 1, [{ name: 'echo' }]);
    expect(driver.actions.findLast(({ do: what }) => what === 'ready')).toMatchObject({
      generation: 1,
      differences: [{ change: 'added', name: 'echo' }],
    });
  });

  test.each([false, true])('is settled by a call of a tool of ours (the server has answered: %s)', (runs) => {
    const driver = new Driver({ tools: [{ name: 'mcp_dev_status' }] });
    driver.start(1);
    if (runs) {
      driver.client({ id: 1, ...DISCOVER });
      driver.server(1, { id: 1, result: discovery() });
    }
    driver.client({ id: 2, method: 'tools/call', params: enveloped({ name: 'mcp_dev_status' }) });
    expect(driver.isSettled).toBe(true);
    expect(driver.received(1).at(-1)).toBe('server/discover');
    expect(greetingOf(driver, 2)).toBe('server/discover');
  });

  test.each([
    {
      what: 'has no resultType',
      result: { content: [] },
      discovered: { supportedVersions: ['2026-07-28'] },
      kept: false,
    },
    { what: 'is of the era', result: { content: [] }, discovered: discovery(), kept: true },
  ])('a server whose answer $what is kept in reserve: $kept', ({ result, discovered, kept }) => {
    const driver = new Driver({ tools: [{ name: 'mcp_dev_status' }] });
    driver.start(1);
    driver.client({ id: 1, ...CALL });
    driver.server(1, { id: 1, result });
    // The answer is ours, and shows nothing of the server.
    driver.client({ id: 2, method: 'tools/call', params: enveloped({ name: 'mcp_dev_status' }) });
    driver.answer(1, 'server/discover', discovered);
    replaceModern(driver, 2);
    const isDismissed = driver.actions.some((one) => one.do === 'dismissed' && one.generation === 1);
    expect(isDismissed).toBe(!kept);
  });

  test('the next server is asked when one that was replaced shows the era, and nothing serves', () => {
    const driver = new Driver();
    driver.event({ type: 'awaited', change: false });
    driver.start(1);
    driver.client({ id: 1, ...CALL });
    driver.event({ type: 'settled' });
    driver.event({ type: 'awaited', change: true });
    driver.start(2);
    driver.event({ type: 'timer', timer: { kind: 'keep', generation: 1 } });
    driver.gone(2);
    driver.event({ type: 'awaited', change: true });
    driver.start(3);
    expect(driver.received(3)).toEqual([]);
    driver.server(1, { id: 1, result: complete({ content: [] }) });
    expect(driver.received(3)).toEqual(['server/discover']);
  });

  test.each([false, true])(
    'is the older one when a client goes on with initialize (reload between: %s)',
    (reload) => {
      const driver = answered(DISCOVER, { result: discovery() });
      const last = reload ? 2 : 1;
      if (reload) driver.start(2);
      driver.client({ ...INITIALIZE, id: 2 });
      driver.answer(last, 'initialize', handshake({ tools: {} }));
      driver.client({ method: 'notifications/initialized' });
      expect(driver.received(last)).toContain('notifications/initialized');
      // What was replaced is not asked, nor can what it says bring it back.
      if (reload) expect(driver.received(1)).not.toContain('initialize');
      driver.client({ id: 3, method: 'tools/call', params: { name: 'x' } });
      expect(driver.last(last, 'tools/call').id).toBe(3);
      expect(greetingOf(driver, 3)).toBe('initialize');
    },
  );

  test('an answer of a generation that was replaced meanwhile does not bring it back', () => {
    const driver = answered(DISCOVER, { result: discovery() });
    driver.event({ type: 'awaited', change: true });
    driver.client({ ...INITIALIZE, id: 2 });
    driver.start(2);
    driver.answer(2, 'initialize', handshake({ tools: {} }));
    driver.answer(1, 'initialize', handshake({ tools: {} }));
    driver.client({ method: 'notifications/initialized' });
    driver.client({ id: 3, method: 'tools/call', params: { name: 'x' } });
    expect(driver.last(2, 'tools/call').id).toBe(3);
  });

  test.each(['before', 'after'])('a refused initialize %s the first call changes nothing', (when) => {
    const driver = new Driver();
    driver.start(1);
    const refused = () => {
      driver.client({ ...INITIALIZE, id: 'old' });
      driver.server(1, {
        id: driver.last(1, 'initialize').id!,
        error: UNSUPPORTED,
      });
      expect(driver.toClient.at(-1)).toMatchObject({
        id: 'old',
        error: { code: -32022 },
      });
    };
    if (when === 'before') refused();
    driver.client({ id: 1, ...LIST });
    driver.server(1, { id: 1, result: complete({ tools: [] }) });
    if (when === 'after') refused();
    for (const generation of [2, 3]) {
      replaceModern(driver, generation);
      driver.client({ id: `call ${generation}`, ...CALL });
      expect(driver.last(generation, 'tools/call').id).toBe(`call ${generation}`);
      expect(driver.received(generation)).not.toContain('initialize');
    }
  });

  test('learnt from a generation that is being replaced, the one that serves is asked what it offers', () => {
    const driver = answered(DISCOVER, { result: discovery() });
    driver.client({ id: 2, ...CALL });
    driver.start(2);
    driver.server(1, { id: 2, result: complete({ content: [] }) });
    expect(driver.received(2)).toContain('server/discover');
    expect(driver.received(1)).toEqual(['server/discover', 'tools/call']);
  });
});

describe('before the era is known', () => {
  test('a request that finds a change waits for the generation that has it', () => {
    const driver = answered(DISCOVER, { result: discovery() });
    driver.event({ type: 'awaited', change: true });
    driver.client({ id: 2, ...CALL });
    expect(driver.received(1)).toEqual(['server/discover']);
    driver.start(2);
    expect(driver.received(2)).toEqual(['tools/call']);
  });

  test('a request that finds a broken change is answered by old code, and says so', () => {
    const driver = answered(DISCOVER, { result: discovery() });
    driver.event({ type: 'awaited', change: true });
    driver.broken();
    driver.client({ id: 2, ...CALL });
    driver.server(1, { id: 2, result: complete({ content: [] }) });
    expect(driver.toClient.at(-1)?.result._meta['mcp-dev']).toMatchObject({
      stale: true,
      generation: 1,
    });
  });

  test('old code that was started again, because the newest does not work, is given requests', () => {
    const driver = new Driver();
    driver.start(1);
    driver.client({ id: 1, ...CALL });
    driver.server(1, { id: 1, result: { content: [] } });
    driver.gone(1);
    driver.broken();
    driver.start(2, false);
    driver.client({ id: 2, ...CALL });
    expect(driver.received(2)).toEqual(['tools/call']);
    driver.server(2, { id: 2, result: { content: [] } });
    expect(driver.toClient.at(-1)).toMatchObject({
      id: 2,
      result: { _meta: { 'mcp-dev': { stale: true, generation: 2, reason: 'build_failed' } } },
    });
  });

  test('what turns out to be no change keeps nothing waiting', () => {
    const driver = answered(DISCOVER, { result: discovery() });
    driver.event({ type: 'awaited', change: true });
    driver.client({ id: 2, ...CALL });
    driver.event({ type: 'settled' });
    expect(driver.received(1)).toEqual(['server/discover', 'tools/call']);
    driver.client({ id: 3, ...CALL });
    expect(driver.received(1)).toHaveLength(3);
  });

  test('a call that was in the only process when that ended is not made twice', () => {
    const driver = new Driver();
    driver.start(1);
    driver.client({ id: 1, ...LIST });
    driver.client({ id: 2, ...DISCOVER });
    driver.client({ id: 3, ...CALL });
    driver.gone(1);
    driver.start(2);
    expect(driver.received(2)).toEqual(['tools/list', 'server/discover']);
    expect(driver.toClient).toMatchObject([
      {
        id: 3,
        result: {
          resultType: 'complete',
          isError: true,
          _meta: { 'mcp-dev': { mayHaveExecuted: true } },
        },
      },
    ]);
  });

  test('what two generations that served could not answer is not given to a third', () => {
    const driver = answered(DISCOVER, { result: discovery() });
    driver.client({ id: 2, ...LIST });
    driver.gone(1);
    // One that never said anything does not count.
    driver.start(2);
    driver.gone(2);
    driver.start(3);
    driver.client({ id: 3, ...DISCOVER });
    driver.server(3, { id: 3, result: discovery() });
    expect(driver.received(3)).toEqual(['tools/list', 'server/discover']);
    driver.news();
    driver.gone(3);
    expect(driver.toClient).toMatchObject([{ id: 2, error: { code: -32603 } }]);
    driver.start(4);
    expect(driver.received(4)).toEqual([]);
  });

  test('progress of a request does not fall back when the only process ended before it had answered anything', () => {
    const driver = new Driver();
    driver.start(1);
    driver.client({ id: 1, method: 'tools/list', params: enveloped({ _meta: { progressToken: 't' } }) });
    const tell = (generation: number, progress: number) => {
      driver.server(generation, {
        method: 'notifications/progress',
        params: { progressToken: 't', progress },
      });
    };
    tell(1, 2);
    driver.gone(1);
    driver.start(2);
    for (const progress of [1, 2, 3]) tell(2, progress);
    expect(driver.toClient.map(({ params }) => params.progress)).toEqual([2, 3]);
  });

  test('a generation in the midst of its first call is not out of date before it was ready', () => {
    const driver = new Driver();
    driver.event({ type: 'awaited', change: false });
    driver.start(1);
    driver.client({ id: 1, ...CALL });
    expect(driver.event({ type: 'awaited', change: true })).toContainEqual(
      expect.objectContaining({ do: 'ready', generation: 1 }),
    );
    driver.client({ id: 2, ...CALL });
    driver.start(2);
    expect(driver.received(2)).toEqual(['tools/call']);
    driver.server(1, { id: 1, result: complete({ content: [] }) });
    expect(driver.toClient).toMatchObject([{ id: 1, result: { resultType: 'complete' } }]);
  });

  test('a generation with nothing but what may be asked again makes way for the next one', () => {
    const driver = new Driver();
    driver.event({ type: 'awaited', change: false });
    driver.start(1);
    driver.client({ id: 1, ...LIST });
    const actions = driver.event({ type: 'awaited', change: true });
    expect(actions.map((action) => action.do)).not.toContain('ready');
  });
});

describe('a candidate', () => {
  test('is asked what it offers, and for its tools, before anything without an envelope reaches it', () => {
    const driver = openModern();
    driver.start(2);
    driver.client({ method: 'notifications/roots/list_changed' });
    driver.client({
      method: 'notifications/cancelled',
      params: { requestId: 99 },
    });
    driver.client({ method: 'notifications/other' });
    driver.answer(2, 'server/discover', discovery({}));
    driver.client({ method: 'notifications/roots/list_changed' });
    expect(driver.received(2)).toEqual(['server/discover', 'tools/list', 'notifications/roots/list_changed']);
    expect(driver.last(2, 'tools/list').params._meta).toEqual(enveloped()._meta);
    driver.server(2, {
      id: driver.last(2, 'tools/list').id!,
      error: { code: -32601, message: 'no tools' },
    });
    driver.client({ id: 3, ...CALL });
    expect(driver.last(2, 'tools/call').id).toBe(3);
  });

  test.each([
    [
      'that does not know discovery',
      { error: { code: -32601, message: 'Method not found' } },
      'Method not found',
    ],
    [
      'without the version',
      { result: discovery({ tools: {} }, ['2027-01-01']) },
      'reconnect the client to use 2027-01-01',
    ],
    [
      'that refuses the version',
      { error: { ...UNSUPPORTED, data: { supported: ['2027-01-01'] } } },
      'reconnect the client to use 2027-01-01',
    ],
    [
      'that names nothing that is a version',
      { error: { ...UNSUPPORTED, data: { supported: [7, { toString: 'x' }] } } },
      'it speaks protocol version (none)',
    ],
  ])('%s cannot take over', (_, response, words) => {
    const driver = openModern();
    driver.start(2);
    const actions = driver.server(2, {
      id: driver.last(2, 'server/discover').id!,
      ...response,
    });
    expect(actions).toMatchObject([{ do: 'rejected', generation: 2, failure: { reason: 'start_failed' } }]);
    expect(JSON.stringify(actions)).toContain(words);
    expect(JSON.stringify(actions)).toContain('2026-07-28');
  });

  test('that answers without a resultType cannot take over', () => {
    const driver = openModern();
    driver.start(2);
    driver.answer(2, 'server/discover', discovery());
    const actions = driver.answer(2, 'tools/list', { tools: [] });
    expect(JSON.stringify(actions)).toContain('answers as a server without protocol version 2026-07-28');
  });

  test('of 2026-07-28 alone cannot take over a session that began with initialize', () => {
    const driver = Driver.open();
    driver.start(2);
    const actions = driver.server(2, {
      id: driver.last(2, 'initialize').id!,
      error: UNSUPPORTED,
    });
    expect(actions).toMatchObject([{ do: 'rejected', generation: 2 }]);
    expect(JSON.stringify(actions)).toContain(
      'this session has 2025-06-18; reconnect the client to use 2026-07-28',
    );
  });
});

describe('discovery', () => {
  const PADDED = {
    tools: { listChanged: true },
    prompts: { listChanged: true },
    resources: { listChanged: true },
  };

  test('is padded, and every other byte as it came', () => {
    const driver = new Driver();
    driver.start(1);
    driver.client({ id: 1, ...DISCOVER });
    driver.server(
      1,
      '{"result":{"x":1.0,"capabilities":{"tools":{"y":1},"extensions":{}},"ttlMs":3600000},"jsonrpc":"2.0","id":1}',
    );
    expect(driver.lastText).toBe(
      '{"result":{"x":1.0,"capabilities":{"tools":{"y":1,"listChanged":true},"extensions":{},"prompts":{"listChanged":true},"resources":{"listChanged":true}},"ttlMs":0},"jsonrpc":"2.0","id":1}',
    );
  });

  test('and the handshake are left as they came with --transparent', () => {
    const text = (id: unknown) =>
      `{"result":{"protocolVersion":"2025-06-18","capabilities":{ "tools":{"y":1.0} },"ttlMs":3600000},"jsonrpc":"2.0","id":${JSON.stringify(id)}}`;
    const modern = new Driver({ transparent: true });
    modern.start(1);
    modern.client({ id: 1, ...DISCOVER });
    modern.server(1, text(1));
    expect(modern.lastText).toBe(text(1));
    const legacy = new Driver({ transparent: true });
    legacy.start(1);
    legacy.client(INITIALIZE);
    legacy.server(1, text(legacy.last(1, 'initialize').id));
    expect(legacy.lastText).toBe(text(1));
  });

  test('waits for a server that is slow, for 8 s at most', () => {
    const driver = new Driver();
    driver.event({ type: 'awaited', change: false });
    driver.client({ id: 1, ...DISCOVER });
    expect(driver.actions).toContainEqual({
      do: 'set-timer',
      timer: { kind: 'discover' },
      ms: 8000,
    });
    driver.start(1);
    expect(driver.received(1)).toEqual(['server/discover']);
    // A second one does not put off the answer of the first.
    const more = driver.client({ id: 2, ...DISCOVER });
    expect(more.filter((action) => action.do === 'set-timer')).toEqual([]);
    driver.event({ type: 'timer', timer: { kind: 'discover' } });
    expect(driver.toClient).toMatchObject([
      { id: 1, error: { code: -32601 } },
      { id: 2, error: { code: -32601 } },
    ]);
    // It answers late, and is there from then on.
    driver.server(1, { id: 1, result: discovery() });
    driver.client({ id: 3, ...DISCOVER });
    driver.server(1, { id: 3, result: discovery() });
    expect(driver.toClient.slice(2)).toMatchObject([{ id: 3, result: { capabilities: PADDED, ttlMs: 0 } }]);
  });

  test.each([
    ['fails for certain', (driver: Driver) => driver.broken()],
    ['is too slow', (driver: Driver) => driver.event({ type: 'timer', timer: { kind: 'discover' } })],
  ])('is what the last good start said when the server %s', (_, happens) => {
    const driver = new Driver();
    const discover = {
      ...discovery({ tools: {}, extensions: { x: {} } }),
      instructions: 'remembered',
    };
    driver.event({
      type: 'remembered',
      remembered: { discover: discover as never },
    });
    driver.event({ type: 'awaited', change: false });
    driver.client({ id: 1, ...DISCOVER });
    expect(driver.toClient).toEqual([]);
    happens(driver);
    expect(driver.toClient).toMatchObject([
      {
        id: 1,
        result: {
          resultType: 'complete',
          supportedVersions: ['2026-07-28'],
          capabilities: { ...PADDED, extensions: { x: {} } },
          instructions: 'remembered',
          ttlMs: 0,
        },
      },
    ]);
  });

  test('is not held for a change of which it is known that it works in none', () => {
    const driver = new Driver();
    driver.broken();
    driver.client({ id: 1, ...DISCOVER });
    expect(driver.toClient).toMatchObject([{ id: 1, error: { code: -32601 } }]);
  });
});

describe('results', () => {
  test.each([
    ['tools/list', { tools: [] }, 0],
    ['prompts/list', { prompts: [] }, 0],
    ['resources/list', { resources: [] }, 0],
    ['resources/templates/list', { resourceTemplates: [] }, 0],
    ['resources/read', { contents: [] }, 0],
    ['tools/call', { content: [] }, 5],
    ['tasks/get', { taskId: 't', status: 'working' }, 5],
    ['other/method', {}, 5],
  ])('of %s may be kept for no longer than they hold', (method, value, ttlMs) => {
    for (const transparent of [false, true]) {
      const driver = openModern({ tools: {} }, [], { transparent });
      driver.client({ id: 2, method, params: enveloped({ taskId: 't' }) });
      driver.server(1, { id: 2, result: complete({ ...value, ttlMs: 5 }) });
      expect(driver.toClient.at(-1)?.result.ttlMs).toBe(transparent ? 5 : ttlMs);
    }
  });

  test('of ours have what the protocol asks of every result', () => {
    const driver = new Driver();
    driver.broken();
    driver.client({ id: 1, ...LIST });
    driver.client({ id: 2, ...CALL });
    driver.client({
      id: 3,
      method: 'resources/read',
      params: enveloped({ uri: 'x:' }),
    });
    expect(driver.toClient).toMatchObject([
      {
        id: 1,
        result: {
          tools: [],
          resultType: 'complete',
          ttlMs: 0,
          cacheScope: 'private',
        },
      },
      { id: 2, result: { isError: true, resultType: 'complete' } },
      { id: 3, error: { code: -32603 } },
    ]);
    expect(driver.toClient[1]?.result).not.toHaveProperty('ttlMs');
  });

  test('for a server without a capability that was promised are empty, but not with --transparent', () => {
    for (const transparent of [false, true]) {
      const driver = openModern({ tools: {} }, [], { transparent });
      driver.client({ id: 2, method: 'prompts/list', params: enveloped() });
      driver.client({
        id: 3,
        method: 'resources/read',
        params: enveloped({ uri: 'x:' }),
      });
      for (const id of [2, 3]) driver.server(1, { id, error: { code: -32601, message: 'none' } });
      expect(driver.toClient).toMatchObject(
        transparent
          ? [{ error: { code: -32601 } }, { error: { code: -32601 } }]
          : [
              {
                result: {
                  prompts: [],
                  resultType: 'complete',
                  ttlMs: 0,
                  cacheScope: 'private',
                },
              },
              { error: { code: -32602 } },
            ],
      );
    }
  });

  test('that lists were empty while nothing ran is news when it runs again', () => {
    const driver = openModern({ tools: {}, prompts: {} });
    driver.client({
      id: 'l',
      method: 'subscriptions/listen',
      params: enveloped({ notifications: { promptsListChanged: true } }),
    });
    driver.server(1, {
      method: 'notifications/subscriptions/acknowledged',
      params: {
        notifications: {},
        _meta: {
          'io.modelcontextprotocol/subscriptionId': driver.last(1, 'subscriptions/listen').id,
        },
      },
    });
    driver.gone(1);
    driver.broken();
    driver.client({ id: 2, method: 'prompts/list', params: enveloped() });
    expect(driver.toClient.at(-1)?.result.prompts).toEqual([]);
    driver.news();
    replaceModern(driver, 2, { tools: {}, prompts: {} });
    expect(driver.news()).toEqual(['notifications/prompts/list_changed']);
  });
});

describe('an exchange with the user', () => {
  const RETRY = {
    method: 'tools/call',
    params: enveloped({
      name: 'x',
      inputResponses: { a: { action: 'accept' } },
      requestState: 's',
    }),
  };

  test('passes byte for byte', () => {
    const driver = openModern();
    const asks =
      '{"result":{"resultType":"input_required", "inputRequests":{"a":1.0},"requestState":"s"},"jsonrpc":"2.0","id":2}';
    driver.client({ id: 2, ...CALL });
    driver.server(1, asks);
    expect(driver.lastText).toBe(asks);
    driver.client({ id: 3, ...RETRY });
    expect(driver.last(1, 'tools/call')).toEqual({
      jsonrpc: '2.0',
      id: 3,
      ...RETRY,
    });
  });

  test('is not begun again when the server crashes', () => {
    const driver = openModern({ tools: {} }, [{ name: 'x', annotations: { readOnlyHint: true } }]);
    driver.client({ id: 2, ...CALL });
    driver.client({ id: 3, ...RETRY });
    driver.client({ id: 4, method: 'prompts/get', params: RETRY.params });
    driver.gone(1);
    replaceModern(driver, 2, { tools: {} }, [{ name: 'x', annotations: { readOnlyHint: true } }]);
    expect(
      driver.toServer.filter(({ generation }) => generation === 2).map(({ message }) => message.id),
    ).toContain(2);
    expect(driver.toClient).toMatchObject([
      { id: 3, result: { isError: true, resultType: 'complete' } },
      { id: 4, error: { code: -32603 } },
    ]);
  });

  test('whose state the next generation refuses is explained', () => {
    const driver = openModern();
    const refuse = (generation: number, id: number) => {
      driver.client({ id, ...RETRY });
      const data = { reason: 'invalid_request_state' };
      return driver.server(generation, {
        id,
        error: { code: -32602, message: 'Invalid', data },
      });
    };
    expect(refuse(1, 2).map((action) => action.do)).toEqual(['to-client']);
    replaceModern(driver, 2);
    expect(refuse(2, 3)).toMatchObject([
      {
        do: 'warn',
        about: 'request-state',
        message: expect.stringContaining('MCP_DEV_SECRET'),
      },
      { do: 'to-client' },
    ]);
  });
});

describe('a task', () => {
  const TASK = {
    resultType: 'task',
    taskId: 't',
    status: 'working',
    ttlMs: 60_000,
  };
  const withTasks = enveloped({
    name: 'x',
    _meta: {
      'io.modelcontextprotocol/clientCapabilities': {
        extensions: { 'io.modelcontextprotocol/tasks': {} },
      },
    },
  });

  test.each(['the first answer of all', 'later'])(
    'made by %s belongs to its generation, which stays for it',
    (when) => {
      const driver =
        when === 'later' ? openModern({ extensions: { 'io.modelcontextprotocol/tasks': {} } }) : new Driver();
      if (when !== 'later') driver.start(1);
      driver.client({ id: 2, method: 'tools/call', params: withTasks });
      driver.server(1, { id: 2, result: TASK });
      expect(driver.toClient.at(-1)?.result).toEqual(TASK);
      replaceModern(driver, 2);
      driver.event({ type: 'timer', timer: { kind: 'keep', generation: 1 } });
      driver.client({
        id: 3,
        method: 'tasks/get',
        params: enveloped({ taskId: 't' }),
      });
      expect(driver.last(1, 'tasks/get').id).toBe(3);
      expect(driver.actions.map((action) => action.do)).not.toContain('drained');
      driver.server(1, {
        id: 3,
        result: complete({ taskId: 't', status: 'completed', ttlMs: 60_000 }),
      });
      expect(driver.toClient.at(-1)?.result.ttlMs).toBe(60_000);
      expect(driver.actions).toContainEqual({ do: 'drained', generation: 1 });
    },
  );
});

test('a request of a server is dropped, with a warning', () => {
  const driver = openModern();
  const actions = driver.server(1, {
    id: 0,
    method: 'elicitation/create',
    params: {},
  });
  expect(actions).toMatchObject([
    {
      do: 'warn',
      about: 'server-requests',
      message: expect.stringContaining('elicitation/create'),
    },
  ]);
});
