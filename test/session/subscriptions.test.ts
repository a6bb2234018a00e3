import { describe, expect, test } from 'vitest';
import { enveloped, type JsonObject } from '../kit/messages.ts';
import { complete, Driver, discovery, type Message, openModern, replaceModern } from './driver.ts';

const TAG = 'io.modelcontextprotocol/subscriptionId';
const ALL = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };
const LISTENS = 'subscriptions/listen';
const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';
const TOOLS_CHANGED = 'notifications/tools/list_changed';

function listen(driver: Driver, id: string | number, notifications: object = ALL): void {
  driver.client({ id, method: LISTENS, params: enveloped({ notifications }) });
}

/** Something that a generation says in its part of the subscription that was opened last. */
function say(driver: Driver, generation: number, method: string, params: JsonObject = {}): void {
  const tag = driver.last(generation, LISTENS).id;
  driver.server(generation, { method, params: { ...params, _meta: { [TAG]: tag } } });
}

function acknowledge(driver: Driver, generation: number, notifications: object = ALL): void {
  say(driver, generation, ACKNOWLEDGED, { notifications });
}

/** What the client got since the last look: method or id, with the subscription it belongs to. */
function heard(driver: Driver): unknown[] {
  return driver.toClient.splice(0).map(({ id, method, params }) => {
    const tag = params?._meta?.[TAG];
    return tag === undefined ? (method ?? id) : [method, tag];
  });
}

/** A session with one open subscription. */
function subscribed(notifications: object = ALL, id: string | number = 'mine'): Driver {
  const driver = openModern();
  listen(driver, id, notifications);
  acknowledge(driver, 1, notifications);
  heard(driver);
  return driver;
}

describe('a subscription', () => {
  test.each(['"mine"', '7', '9007199254740993', '"7"', '-1'])(
    'is the server’s under another id, and the client’s under %s',
    (id) => {
      const driver = openModern();
      driver.client(
        `{"jsonrpc":"2.0","id":${id},"method":"${LISTENS}","params":${JSON.stringify(enveloped({ notifications: ALL }))}}`,
      );
      const sent = driver.last(1, LISTENS);
      expect(sent.id).toMatch(/^mcp-dev:/);
      expect(sent.params).toEqual(enveloped({ notifications: ALL }));
      acknowledge(driver, 1);
      expect(driver.lastText).toContain(`"${TAG}":${id}`);
      say(driver, 1, TOOLS_CHANGED);
      expect(driver.lastText).toContain(`"${TAG}":${id}`);
      replaceModern(driver, 2);
      expect(driver.lastText).toContain(`"${TAG}":${id}`);
      driver.event({ type: 'closing' });
      expect(driver.lastText).toBe(
        `{"jsonrpc":"2.0","id":${id},"result":{"resultType":"complete","_meta":{"${TAG}":${id}}}}`,
      );
    },
  );

  test('is given to each generation as it came, and acknowledged once', () => {
    const driver = openModern();
    listen(driver, 'mine');
    acknowledge(driver, 1);
    expect(heard(driver)).toEqual([[ACKNOWLEDGED, 'mine']]);
    for (const generation of [2, 3]) {
      replaceModern(driver, generation);
      expect(driver.last(generation, LISTENS).params).toEqual(enveloped({ notifications: ALL }));
      acknowledge(driver, generation);
      expect(heard(driver)).toEqual([[TOOLS_CHANGED, 'mine']]);
    }
  });

  test('hears of a hand-over before anything that the new generation answers, and only what it asked for', () => {
    const driver = subscribed({ promptsListChanged: true, resourceSubscriptions: ['a:1', 'a:2'] });
    driver.event({ type: 'awaited', change: true });
    driver.client({ id: 5, method: 'tools/list', params: enveloped() });
    driver.start(2);
    driver.answer(2, 'server/discover', discovery({ tools: {}, prompts: {} }));
    driver.answer(2, 'prompts/list', complete({ prompts: [{ name: 'new' }] }));
    expect(heard(driver)).toEqual([]);
    driver.answer(2, 'tools/list', complete({ tools: [] }));
    driver.server(2, { id: 5, result: complete({ tools: [] }) });
    expect(driver.toClient.map(({ params }) => params?.uri)).toEqual([undefined, 'a:1', 'a:2', undefined]);
    expect(heard(driver)).toEqual([
      ['notifications/prompts/list_changed', 'mine'],
      ['notifications/resources/updated', 'mine'],
      ['notifications/resources/updated', 'mine'],
      5,
    ]);
  });

  test('beside another one hears what it asked for, and no more', () => {
    const driver = subscribed({ toolsListChanged: true }, 'tools');
    const first = driver.last(1, LISTENS).id;
    listen(driver, 8, { resourceSubscriptions: ['a:1'] });
    acknowledge(driver, 1, { resourceSubscriptions: ['a:1'] });
    expect(driver.last(1, LISTENS).id).not.toBe(first);
    expect(heard(driver)).toEqual([[ACKNOWLEDGED, 8]]);
    replaceModern(driver, 2);
    expect(driver.received(2).filter((method) => method === LISTENS)).toHaveLength(2);
    expect(heard(driver)).toEqual([
      [TOOLS_CHANGED, 'tools'],
      ['notifications/resources/updated', 8],
    ]);
    driver.event({ type: 'closing' });
    expect(heard(driver)).toEqual(['tools', 8]);
  });

  test('survives that its server ends it with the process, or by a cancellation', () => {
    const driver = subscribed();
    const part = driver.last(1, LISTENS).id!;
    replaceModern(driver, 2);
    heard(driver);
    driver.server(1, { id: part, result: complete({ _meta: { [TAG]: part } }) });
    driver.server(2, {
      method: 'notifications/cancelled',
      params: { requestId: driver.last(2, LISTENS).id },
    });
    expect(heard(driver)).toEqual([]);
    driver.event({ type: 'timer', timer: { kind: 'listen' } });
    acknowledge(driver, 2);
    expect(heard(driver)).toEqual([]);
    say(driver, 2, TOOLS_CHANGED);
    expect(heard(driver)).toEqual([[TOOLS_CHANGED, 'mine']]);
  });

  test('that is opened while a candidate gets ready is open there too', () => {
    const driver = openModern();
    driver.start(2);
    driver.answer(2, 'server/discover', discovery());
    listen(driver, 'mine');
    acknowledge(driver, 1);
    expect(heard(driver)).toEqual([[ACKNOWLEDGED, 'mine']]);
    driver.answer(2, 'tools/list', complete({ tools: [] }));
    expect(heard(driver)).toEqual([[TOOLS_CHANGED, 'mine']]);
    acknowledge(driver, 2);
    say(driver, 2, TOOLS_CHANGED);
    expect(heard(driver)).toEqual([[TOOLS_CHANGED, 'mine']]);
    expect(driver.received(1).filter((method) => method === LISTENS)).toHaveLength(1);
    expect(driver.received(2).filter((method) => method === LISTENS)).toHaveLength(1);
  });

  test('that is opened while the server crashed is open at the next one', () => {
    const driver = openModern();
    driver.gone(1);
    driver.event({ type: 'awaited', change: false });
    listen(driver, 'mine');
    expect(heard(driver)).toEqual([]);
    replaceModern(driver, 2);
    acknowledge(driver, 2);
    // What the client had read was of the generation that crashed.
    expect(heard(driver).slice(0, 2)).toEqual([
      [ACKNOWLEDGED, 'mine'],
      [TOOLS_CHANGED, 'mine'],
    ]);
    expect(driver.received(2).filter((method) => method === LISTENS)).toHaveLength(1);
  });

  test('that only a later generation can open hears that everything may have changed until then', () => {
    const driver = openModern();
    listen(driver, 'mine');
    replaceModern(driver, 2);
    expect(heard(driver)).toEqual([]);
    acknowledge(driver, 2);
    expect(heard(driver)).toEqual([
      [ACKNOWLEDGED, 'mine'],
      [TOOLS_CHANGED, 'mine'],
      ['notifications/prompts/list_changed', 'mine'],
      ['notifications/resources/list_changed', 'mine'],
    ]);
  });

  test('is passed on with what we do not know of', () => {
    const driver = openModern();
    const filter = { ...ALL, taskIds: ['t1', 't2'] };
    listen(driver, 'mine', filter);
    expect(driver.last(1, LISTENS).params.notifications).toEqual(filter);
    acknowledge(driver, 1, { taskIds: ['t1'] });
    // The lists are promised whatever this generation has, and nothing else is.
    expect(driver.toClient.at(-1)?.params.notifications).toEqual({ ...ALL, taskIds: ['t1'] });
    heard(driver);
    say(driver, 1, 'notifications/tasks', { taskId: 't1', status: 'working' });
    say(driver, 1, 'notifications/other');
    expect(heard(driver)).toEqual([
      ['notifications/tasks', 'mine'],
      ['notifications/other', 'mine'],
    ]);
  });

  test('is granted what the server grants, and nothing more, with --transparent; reloads are told', () => {
    const driver = openModern({ tools: {} }, [], { transparent: true });
    listen(driver, 'mine');
    acknowledge(driver, 1, { toolsListChanged: true });
    expect(driver.toClient.at(-1)?.params.notifications).toEqual({ toolsListChanged: true });
    heard(driver);
    replaceModern(driver, 2);
    expect(heard(driver)).toEqual([[TOOLS_CHANGED, 'mine']]);
  });
});

describe('a cancelled subscription', () => {
  const cancel = (driver: Driver, id: string | number, enveloping: boolean) => {
    const params = { requestId: id, reason: 'enough' };
    driver.client({ method: 'notifications/cancelled', params: enveloping ? enveloped(params) : params });
  };

  test.each([true, false])('is over in every generation (enveloped: %s)', (enveloping) => {
    const driver = subscribed();
    replaceModern(driver, 2);
    driver.start(3);
    driver.answer(3, 'server/discover', discovery());
    heard(driver);
    const parts = [1, 2, 3].map((generation) => driver.last(generation, LISTENS).id);
    cancel(driver, 'mine', enveloping);
    for (const [at, part] of parts.entries()) {
      const { params } = driver.last(at + 1, 'notifications/cancelled');
      expect(params).toMatchObject({ requestId: part, reason: 'enough' });
      expect('_meta' in params).toBe(enveloping);
    }
    driver.answer(3, 'tools/list', complete({ tools: [] }));
    replaceModern(driver, 4);
    expect(driver.received(4)).not.toContain(LISTENS);
    driver.event({ type: 'closing' });
    expect(heard(driver)).toEqual([]);
  });

  test('is silent at once, whatever its server still says', () => {
    const driver = subscribed();
    say(driver, 1, TOOLS_CHANGED);
    say(driver, 1, TOOLS_CHANGED);
    heard(driver);
    cancel(driver, 'mine', true);
    driver.event({ type: 'timer', timer: { kind: 'merge', key: `${TOOLS_CHANGED} "mine"` } });
    say(driver, 1, 'notifications/prompts/list_changed');
    say(driver, 1, 'notifications/resources/updated', { uri: 'a:1' });
    say(driver, 1, 'notifications/tasks', { taskId: 't' });
    acknowledge(driver, 1);
    driver.server(1, { id: driver.last(1, LISTENS).id!, result: complete({}) });
    expect(heard(driver)).toEqual([]);
    expect(driver.actions.filter((action) => action.do === 'warn')).toEqual([]);
  });

  test('that was ended by the end of the session is silent as well', () => {
    const driver = subscribed();
    driver.event({ type: 'closing' });
    say(driver, 1, TOOLS_CHANGED);
    driver.server(1, { id: driver.last(1, LISTENS).id!, result: complete({}) });
    expect(heard(driver)).toEqual(['mine']);
  });

  test('makes its id free again', () => {
    const driver = subscribed();
    cancel(driver, 'mine', true);
    listen(driver, 'mine', { toolsListChanged: true });
    acknowledge(driver, 1);
    expect(heard(driver)).toEqual([[ACKNOWLEDGED, 'mine']]);
  });

  test('that no generation had heard of is forgotten', () => {
    const driver = openModern();
    driver.gone(1);
    listen(driver, 'mine');
    cancel(driver, 'mine', true);
    replaceModern(driver, 2);
    expect(driver.received(2)).not.toContain(LISTENS);
  });
});

describe('while nothing works', () => {
  const broken = (): Driver => {
    const driver = new Driver();
    driver.broken();
    return driver;
  };

  /** Heals it with a server that answers the client's first call before it opens the subscription, or after that. */
  const heal = (driver: Driver, order: readonly ('call' | 'subscription')[]) => {
    driver.event({ type: 'awaited', change: true });
    driver.client({ id: 'call', method: 'tools/list', params: enveloped() });
    driver.start(1);
    for (const what of order) {
      if (what === 'subscription') acknowledge(driver, 1);
      else driver.server(1, { id: 'call', result: complete({ tools: [] }) });
    }
  };

  test('a subscription is opened by us', () => {
    const driver = broken();
    listen(driver, 'mine', { toolsListChanged: true, resourceSubscriptions: ['a:1'] });
    expect(driver.toClient.at(-1)).toEqual({
      jsonrpc: '2.0',
      method: ACKNOWLEDGED,
      params: {
        notifications: { toolsListChanged: true, resourceSubscriptions: ['a:1'] },
        _meta: { [TAG]: 'mine' },
      },
    });
  });

  test('one that waited for the server is opened by us when that fails for certain', () => {
    const driver = new Driver();
    driver.event({ type: 'awaited', change: false });
    listen(driver, 'mine');
    expect(heard(driver)).toEqual([]);
    driver.broken();
    expect(heard(driver)).toEqual([[ACKNOWLEDGED, 'mine']]);
  });

  test.each([[['subscription', 'call'] as const], [['call', 'subscription'] as const]])(
    'a subscription hears of it when it is mended (first the %s)',
    (order) => {
      const driver = broken();
      listen(driver, 'mine');
      heard(driver);
      heal(driver, order);
      const news = heard(driver);
      expect(news).toContainEqual([TOOLS_CHANGED, 'mine']);
      expect(news).toContainEqual(['notifications/prompts/list_changed', 'mine']);
      expect(news).not.toContainEqual([ACKNOWLEDGED, 'mine']);
      // Nothing of the new generation comes before that.
      expect(news.at(-1)).toBe('call');
      expect(news).toHaveLength(4);
      expect(driver.received(1).filter((method) => method === LISTENS)).toHaveLength(1);
    },
  );

  test('a subscription hears of each generation that is used, also of one that follows before the era is known', () => {
    const driver = broken();
    listen(driver, 'mine', { toolsListChanged: true });
    driver.event({ type: 'awaited', change: true });
    driver.start(1);
    driver.server(1, { id: driver.last(1, LISTENS).id!, error: { code: -32022, message: 'no' } });
    driver.client({ id: 'call', method: 'tools/list', params: enveloped() });
    driver.server(1, { id: 'call', error: { code: -32022, message: 'no' } });
    heard(driver);
    driver.start(2);
    acknowledge(driver, 2);
    expect(heard(driver)).toEqual([[TOOLS_CHANGED, 'mine']]);
  });

  test('a subscription hears of it when a generation serves, not when one refuses it', () => {
    const driver = broken();
    listen(driver, 'mine', { toolsListChanged: true });
    driver.event({ type: 'awaited', change: true });
    driver.start(1);
    heard(driver);
    driver.server(1, { id: driver.last(1, LISTENS).id!, error: { code: -32022, message: 'no' } });
    driver.gone(1);
    expect(heard(driver)).toEqual([]);
    driver.start(2);
    acknowledge(driver, 2);
    expect(heard(driver)).toEqual([[TOOLS_CHANGED, 'mine']]);
  });

  test('a subscription of a session that is known to be modern hears of it, too', () => {
    const driver = openModern();
    driver.gone(1);
    driver.broken();
    listen(driver, 'mine');
    expect(heard(driver)).toEqual([[ACKNOWLEDGED, 'mine']]);
    replaceModern(driver, 2);
    expect(heard(driver)).toEqual([[TOOLS_CHANGED, 'mine']]);
  });
});

describe('a server that refuses a subscription', () => {
  const REFUSED = { code: -32601, message: 'Method not found' };
  const refuse = (driver: Driver, generation: number, error: Message['error'] = REFUSED) =>
    driver.server(generation, { id: driver.last(generation, LISTENS).id!, error });

  test('is heard by a client whose era is not known', () => {
    const driver = new Driver();
    driver.start(1);
    listen(driver, 7);
    refuse(driver, 1);
    expect(driver.toClient).toEqual([{ jsonrpc: '2.0', id: 7, error: REFUSED }]);
    driver.start(2);
    expect(driver.received(2)).toEqual([]);
  });

  test('is not heard once another one has it: that one decides', () => {
    const driver = new Driver();
    driver.start(1);
    driver.client({ id: 'discover', method: 'server/discover', params: enveloped() });
    driver.answer(1, 'server/discover', discovery());
    listen(driver, 'mine');
    driver.start(2);
    heard(driver);
    refuse(driver, 1);
    expect(heard(driver)).toEqual([]);
    acknowledge(driver, 2);
    expect(heard(driver)).toEqual([
      [ACKNOWLEDGED, 'mine'],
      [TOOLS_CHANGED, 'mine'],
      ['notifications/prompts/list_changed', 'mine'],
      ['notifications/resources/list_changed', 'mine'],
    ]);
  });

  test('is heard when it has another reason than not knowing of them', () => {
    const driver = openModern();
    listen(driver, 'mine');
    refuse(driver, 1, { code: -32602, message: 'bad filter' });
    expect(driver.toClient).toMatchObject([{ id: 'mine', error: { code: -32602 } }]);
    replaceModern(driver, 2);
    expect(driver.received(2)).not.toContain(LISTENS);
  });

  test('is not heard in a session of their era: reloads are told all the same', () => {
    const driver = openModern();
    listen(driver, 'mine');
    expect(refuse(driver, 1)).toMatchObject([{ do: 'warn', about: 'subscriptions' }, { do: 'to-client' }]);
    expect(heard(driver)).toEqual([[ACKNOWLEDGED, 'mine']]);
    replaceModern(driver, 2);
    refuse(driver, 2);
    expect(heard(driver)).toEqual([[TOOLS_CHANGED, 'mine']]);
  });
});
