import { describe, expect, test } from 'vitest';
import { Driver, handshake } from './driver.ts';

describe('what a server asks the client', () => {
  test('has an id and a progress token that no other generation uses, and is answered under its own', () => {
    const driver = Driver.open();
    const ask = {
      id: 0,
      method: 'elicitation/create',
      params: { _meta: { progressToken: 0 }, message: 'a' },
    };
    driver.server(1, ask);
    driver.replace(2);
    driver.server(2, ask);
    const [first, second] = driver.toClient.filter(({ method }) => method === 'elicitation/create');
    expect(first?.id).not.toBe(second?.id);
    expect(first?.params._meta.progressToken).toBe(first?.id);
    driver.client({ method: 'notifications/progress', params: { progressToken: second!.id, progress: 1 } });
    driver.client({ id: second!.id!, result: { b: 2 } });
    driver.client({ id: first!.id!, result: { a: 1 } });
    const got = driver.toServer.filter(
      ({ message }) => message.method === 'notifications/progress' || message.result,
    );
    expect(got).toMatchObject([
      { generation: 2, message: { params: { progressToken: 0 } } },
      { generation: 2, message: { id: 0, result: { b: 2 } } },
      { generation: 1, message: { id: 0, result: { a: 1 } } },
    ]);
  });

  test('is withdrawn when it dies, and the late answer goes to nobody', () => {
    const driver = Driver.open();
    driver.server(1, { id: 'q', method: 'roots/list' });
    const [{ id } = {}] = driver.toClient;
    driver.gone(1);
    expect(driver.toClient[1]).toMatchObject({
      method: 'notifications/cancelled',
      params: { requestId: id },
    });
    driver.replace(2);
    const before = driver.toServer.length;
    driver.client({ id: id!, result: {} });
    expect(driver.toServer.length).toBe(before);
  });

  test('may be withdrawn by itself, under the id that the client knows', () => {
    const driver = Driver.open();
    driver.server(1, { id: 7, method: 'sampling/createMessage', params: {} });
    driver.server(1, { method: 'notifications/cancelled', params: { requestId: 7 } });
    expect(driver.toClient[1]?.params.requestId).toBe(driver.toClient[0]?.id);
  });

  test('reaches the client even before the hand-over', () => {
    const driver = Driver.open();
    driver.start(2);
    driver.answer(2, 'initialize', handshake({ tools: {} }));
    driver.server(2, { id: 0, method: 'roots/list' });
    expect(driver.news()).toEqual([expect.any(String)].map(() => 'roots/list'));
  });
});

describe('a hand-over', () => {
  test('comes after the tools, tells the client, and then lets the candidate speak', () => {
    const driver = Driver.open({ tools: {}, prompts: {} });
    driver.start(2);
    driver.answer(2, 'initialize', handshake({ tools: {}, prompts: {} }));
    driver.server(2, { method: 'notifications/tools/list_changed' });
    driver.server(2, { method: 'notifications/message', params: { data: 'hello' } });
    driver.answer(2, 'tools/list', { tools: [] });
    expect(driver.news()).toEqual([]);
    const actions = driver.answer(2, 'prompts/list', { prompts: [{ name: 'new' }] });
    expect(driver.news()).toEqual(
      [
        'notifications/tools/list_changed',
        'notifications/prompts/list_changed',
        'notifications/resources/list_changed',
        'notifications/message',
      ].filter((method) => method !== 'notifications/resources/list_changed'),
    );
    expect(actions.at(-1)).toMatchObject({ do: 'to-server', generation: 2 });
  });

  test('names what is different', () => {
    const driver = Driver.open({ tools: {} }, [
      { name: 'old' },
      { name: 'echo', description: 'a', inputSchema: {} },
    ]);
    driver.start(2);
    driver.answer(2, 'initialize', handshake({ tools: {} }));
    const actions = driver.answer(2, 'tools/list', {
      tools: [{ name: 'echo', description: 'b', inputSchema: { type: 'object' } }, { name: 'add' }],
    });
    expect(actions.find((action) => action.do === 'ready')).toMatchObject({
      differences: [
        { change: 'changed', noun: 'tool', name: 'echo', members: ['description', 'inputSchema'] },
        { change: 'added', noun: 'tool', name: 'add' },
        { change: 'removed', noun: 'tool', name: 'old' },
      ],
    });
  });

  test('reads every page of the tools', () => {
    const driver = Driver.open();
    driver.start(2);
    driver.answer(2, 'initialize', handshake({ tools: {} }));
    driver.answer(2, 'tools/list', { tools: [{ name: 'echo' }], nextCursor: '' });
    expect(driver.last(2, 'tools/list').params).toEqual({ cursor: '' });
    const actions = driver.answer(2, 'tools/list', { tools: [{ name: 'b' }] });
    expect(actions.find((action) => action.do === 'ready')).toMatchObject({ differences: [{ name: 'b' }] });
  });

  test('waits a second for lists other than the tools, and then says that they may have changed', () => {
    const driver = Driver.open({ tools: {}, prompts: {} });
    driver.start(2);
    driver.answer(2, 'initialize', handshake({ tools: {}, prompts: {} }));
    driver.answer(2, 'tools/list', { tools: [] });
    expect(driver.actions).toContainEqual({
      do: 'set-timer',
      timer: { kind: 'lists', generation: 2 },
      ms: 1000,
    });
    driver.event({ type: 'timer', timer: { kind: 'lists', generation: 2 } });
    expect(driver.news()).toEqual(['notifications/tools/list_changed', 'notifications/prompts/list_changed']);
  });

  test('waits for the tools however long they take', () => {
    const driver = Driver.open();
    driver.start(2);
    driver.answer(2, 'initialize', handshake({ tools: {} }));
    driver.event({ type: 'timer', timer: { kind: 'lists', generation: 2 } });
    expect(driver.news()).toEqual([]);
  });
});

test('a burst of list_changed is two notifications: the first, and one for all that followed', () => {
  const driver = Driver.open();
  const method = 'notifications/tools/list_changed';
  for (let index = 0; index < 7; index++) driver.server(1, { method });
  expect(driver.news()).toEqual([method]);
  driver.event({ type: 'timer', timer: { kind: 'merge', key: method } });
  expect(driver.news()).toEqual([method]);
  driver.event({ type: 'timer', timer: { kind: 'merge', key: method } });
  driver.server(1, { method });
  expect(driver.news()).toEqual([method]);
});

test('what a server announces is read again, so that the next difference is right', () => {
  const driver = Driver.open();
  driver.server(1, { method: 'notifications/tools/list_changed' });
  driver.answer(1, 'tools/list', { tools: [{ name: 'echo' }, { name: 'dynamic' }] });
  driver.start(2);
  driver.answer(2, 'initialize', handshake({ tools: {} }));
  const actions = driver.answer(2, 'tools/list', { tools: [{ name: 'echo' }, { name: 'dynamic' }] });
  expect(actions.find((action) => action.do === 'ready')).toMatchObject({ differences: [] });
});

test('what is no message on stdout is garbage, and never reaches the client', () => {
  const driver = Driver.open();
  expect(driver.server(1, 'listening on 3000')).toMatchObject([{ do: 'garbage', generation: 1 }]);
  expect(driver.server(1, '{"level":"info"}')).toMatchObject([{ do: 'garbage' }]);
  expect(driver.server(1, '')).toEqual([]);
});

test('unknown methods pass in both directions', () => {
  const driver = Driver.open();
  driver.client({ method: 'notifications/x', params: { a: 1 } });
  driver.server(1, { method: 'notifications/y', params: { b: 1 } });
  expect(driver.received(1)).toContain('notifications/x');
  expect(driver.news()).toEqual(['notifications/y']);
});
