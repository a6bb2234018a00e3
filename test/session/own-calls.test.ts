import { expect, test } from 'vitest';
import type { SessionAction } from '../../src/session/events.ts';
import { ENVELOPE } from '../kit/messages.ts';
import { complete, Driver, INITIALIZE, openModern } from './driver.ts';

const CALL = { type: 'call', call: 7, tool: 'echo', arguments: { text: 'hi' } } as const;

/** The answers to calls that are not the client's. */
function answers(actions: readonly SessionAction[]) {
  return actions.flatMap((action) =>
    action.do === 'answer-call' ? [{ call: action.call, ...JSON.parse(action.line.text()) }] : [],
  );
}

test('a call goes to the active generation, and its answer not to the client', () => {
  const driver = Driver.open();
  driver.event(CALL);
  const asked = driver.last(1, 'tools/call');
  expect(asked.params).toEqual({ name: 'echo', arguments: { text: 'hi' } });
  const actions = driver.server(1, { id: asked.id!, result: { content: [] } });
  expect(answers(actions)).toMatchObject([{ call: 7, result: { content: [] } }]);
  expect(driver.news()).toEqual([]);
});

test('in the stateless era it has the envelope of the session', () => {
  const driver = openModern();
  driver.event(CALL);
  const asked = driver.last(1, 'tools/call');
  expect(asked.params._meta).toMatchObject(ENVELOPE);
  const actions = driver.server(1, { id: asked.id!, result: complete({ content: [] }) });
  expect(answers(actions)).toHaveLength(1);
  expect(driver.news()).toEqual([]);
});

test('it is held while a change is not served, and then goes to the new code', () => {
  const driver = Driver.open();
  driver.event({ type: 'awaited', change: true });
  driver.event(CALL);
  expect(driver.received(1)).not.toContain('tools/call');
  driver.replace(2);
  expect(driver.last(2, 'tools/call').params.name).toBe('echo');
});

test('it does not wait for the client to read a changed output schema', () => {
  const driver = Driver.open({ tools: {} }, [{ name: 'echo' }]);
  driver.event({ type: 'awaited', change: true });
  driver.event(CALL);
  driver.replace(2, [{ name: 'echo', outputSchema: { type: 'object' } }]);
  expect(driver.received(2)).toContain('tools/call');
});

test('what old code answers is marked, and the client still gets its full notice', () => {
  const driver = Driver.open({ tools: {} }, [{ name: 'echo' }], { transparent: false });
  driver.broken();
  driver.event(CALL);
  const id = driver.last(1, 'tools/call').id!;
  const [answer] = answers(driver.server(1, { id, result: { content: [] } }));
  expect(answer.result).toEqual({
    content: [],
    _meta: { 'mcp-dev': { stale: true, generation: 1, reason: 'build_failed' } },
  });
  driver.client({ id: 9, method: 'tools/call', params: { name: 'echo' } });
  driver.server(1, { id: 9, result: { content: [] } });
  expect(driver.toClient.at(-1)?.result.content[0].text).toContain('TS1005');
});

test('a crash answers it with the reason, as nobody knows what it has done', () => {
  const driver = Driver.open();
  driver.event(CALL);
  driver.gone(1);
  const said = answers(driver.actions);
  expect(said).toMatchObject([{ call: 7, result: { isError: true } }]);
  expect(said[0].result._meta['mcp-dev'].reason).toBe('server_crashed');
  expect(driver.news()).toEqual([]);
});

test('one that is taken back is cancelled, and a late answer is dropped without a warning', () => {
  const driver = Driver.open();
  driver.event(CALL);
  const { id } = driver.last(1, 'tools/call');
  driver.event({ type: 'hang-up', call: 7 });
  expect(driver.last(1, 'notifications/cancelled').params.requestId).toBe(id);
  const late = driver.server(1, { id: id!, result: { content: [] } });
  expect(late).toEqual([]);
});

test('one that is taken back while it is held never reaches a server', () => {
  const driver = Driver.open();
  driver.event({ type: 'awaited', change: true });
  driver.event(CALL);
  driver.event({ type: 'hang-up', call: 7 });
  expect(driver.heldBytes).toBe(0);
  driver.replace(2);
  expect(driver.received(2)).not.toContain('tools/call');
});

test('before the client has begun, or while it shakes hands, nobody can call', () => {
  const driver = new Driver();
  driver.start(1);
  expect(answers(driver.event(CALL))).toMatchObject([{ call: 7, error: { code: -32603 } }]);
  driver.client(INITIALIZE);
  expect(answers(driver.event({ ...CALL, call: 8 }))).toMatchObject([{ call: 8, error: { code: -32603 } }]);
  expect(driver.received(1)).not.toContain('tools/call');
});

test('while the server is down it is answered with the reason', () => {
  const driver = new Driver();
  driver.broken();
  expect(answers(driver.event(CALL))).toMatchObject([{ call: 7, result: { isError: true } }]);
});
