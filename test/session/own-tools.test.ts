import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/wire/message.ts';
import { enveloped } from '../kit/messages.ts';
import { Driver, handshake, INITIALIZE, type Message, openModern } from './driver.ts';

const STATUS = { name: 'mcp_dev_status', inputSchema: { type: 'object' } };
const CALL = { name: 'mcp_dev_call', inputSchema: { type: 'object' } };
const SETTINGS = { tools: [STATUS, CALL] };

function open(tools: object[] = [{ name: 'echo' }]): Driver {
  return Driver.open({ tools: {} }, tools, SETTINGS);
}

/** Asks for a page and answers it for the server; what the client got of it, as text. */
function page(driver: Driver, result: string, params: object = {}): string {
  driver.client({ id: 'page', method: 'tools/list', params });
  driver.server(1, `{"jsonrpc":"2.0","id":"page","result":${result}}`);
  return driver.lastText;
}

function callIt(driver: Driver, id: number, args: object, more: object = {}): void {
  driver.client({ id, method: 'tools/call', params: { name: 'mcp_dev_call', arguments: args, ...more } });
}

function executed(driver: Driver): { key: number; tool: string; args: JsonObject }[] {
  return driver.actions.flatMap((action) => {
    return action.do === 'execute' ? [{ key: action.key, tool: action.tool, args: action.args }] : [];
  });
}

function answerTo(driver: Driver, id: Message['id']): Message | undefined {
  return driver.toClient.find((message) => message.id === id && message.method === undefined);
}

describe('the list', () => {
  test('ends with our tools, and the bytes of the server stay as they are', () => {
    const own = '[ {"name" : "echo", "big": 12345678901234567890, "name2":"\\u00e9"} ]';
    const text = page(open(), `{"tools":${own},"nextCursor":"2"}`);
    const ours = SETTINGS.tools.map((tool) => JSON.stringify(tool)).join(',');
    expect(text).toBe(
      `{"jsonrpc":"2.0","id":"page","result":{"tools":${own.slice(0, -1)},${ours}],"nextCursor":"2"}}`,
    );
  });

  test('has them when it is empty', () => {
    expect(JSON.parse(page(open([]), '{"tools":[ ]}')).result.tools).toEqual(SETTINGS.tools);
  });

  test.each(['2', ''])('has none on the page of the cursor %j', (cursor) => {
    const result = '{"tools":[{"name":"late"}]}';
    expect(page(open(), result, { cursor })).toBe(`{"jsonrpc":"2.0","id":"page","result":${result}}`);
  });

  test('is left alone when it is no list, or an error', () => {
    const driver = open();
    expect(page(driver, '{"tools":{}}')).toContain('"result":{"tools":{}}');
    driver.client({ id: 'page', method: 'tools/list' });
    driver.server(1, { id: 'page', error: { code: -1, message: 'no' } });
    expect(driver.lastText).not.toContain('mcp_dev');
  });

  test('is ours alone when the server has no tools, or does not run', () => {
    const driver = Driver.open({}, [], SETTINGS);
    driver.client({ id: 1, method: 'tools/list' });
    driver.server(1, { id: 1, error: { code: -32601, message: 'no' } });
    expect(answerTo(driver, 1)?.result.tools).toEqual(SETTINGS.tools);
    driver.gone(1);
    driver.broken();
    driver.client({ id: 2, method: 'tools/list' });
    expect(answerTo(driver, 2)?.result.tools).toEqual(SETTINGS.tools);
  });

  test('is complete in the modern era too', () => {
    const driver = openModern({ tools: {} }, [{ name: 'echo' }], SETTINGS);
    driver.news();
    driver.gone(1);
    driver.broken();
    driver.client({ id: 2, method: 'tools/list', params: enveloped() });
    expect(answerTo(driver, 2)?.result).toMatchObject({
      tools: SETTINGS.tools,
      resultType: 'complete',
      ttlMs: 0,
    });
  });

  test('leaves out a name that the server has on this page', () => {
    const driver = Driver.open({ tools: {} }, [], SETTINGS);
    const names = JSON.parse(page(driver, '{"tools":[{"name":"mcp_dev_status"}]}')).result.tools;
    expect(names).toEqual([{ name: 'mcp_dev_status' }, CALL]);
    expect(driver.actions).toContainEqual(expect.objectContaining({ do: 'warn', about: 'tool-names' }));
  });

  test('leaves out a name that the server has on another page', () => {
    const names = JSON.parse(page(open([{ name: 'mcp_dev_status' }]), '{"tools":[],"nextCursor":"2"}'));
    expect(names.result.tools).toEqual([CALL]);
  });

  test('is that of the generation which answers, though another one has taken a name since', () => {
    const driver = open();
    driver.client({ id: 7, method: 'tools/list' });
    driver.replace(2, [{ name: 'mcp_dev_status' }]);
    driver.server(1, { id: 7, result: { tools: [{ name: 'echo' }] } });
    expect(answerTo(driver, 7)?.result.tools).toEqual([{ name: 'echo' }, STATUS, CALL]);
  });

  test('is compared without our tools', () => {
    const driver = open();
    driver.replace(2);
    expect(driver.actions.findLast(({ do: what }) => what === 'ready')).toMatchObject({ differences: [] });
  });
});

describe('a call of a tool of ours', () => {
  test('is carried out outside, whatever the server does', () => {
    const driver = open();
    driver.event({ type: 'awaited', change: true });
    driver.client({
      id: 7,
      method: 'tools/call',
      params: { name: 'mcp_dev_status', arguments: { server: 'x' } },
    });
    const [call] = executed(driver);
    expect(call).toMatchObject({ tool: 'mcp_dev_status', args: { server: 'x' } });
    expect(driver.received(1)).not.toContain('tools/call');
    driver.event({ type: 'tool-result', key: call!.key, result: { content: [] } });
    expect(answerTo(driver, 7)?.result).toEqual({ content: [] });
  });

  test('is answered no more once it is cancelled, and its id may be used again', () => {
    const driver = open();
    const again = { id: 7, method: 'tools/call', params: { name: 'mcp_dev_status' } };
    driver.client(again);
    driver.client({ method: 'notifications/cancelled', params: { requestId: 7 } });
    driver.client(again);
    const [first, second] = executed(driver);
    expect(driver.event({ type: 'tool-result', key: first!.key, result: { content: [1] } })).toEqual([]);
    driver.event({ type: 'tool-result', key: second!.key, result: { content: [2] } });
    expect(driver.toClient.filter(({ id }) => id === 7).map(({ result }) => result.content)).toEqual([[2]]);
    expect(driver.received(1)).not.toContain('notifications/cancelled');
  });

  test('is a member of a batch like any other', () => {
    const driver = new Driver(SETTINGS);
    driver.start(1);
    const params = { ...INITIALIZE.params, protocolVersion: '2025-03-26' };
    driver.client({ ...INITIALIZE, params });
    driver.answer(1, 'initialize', handshake({ tools: {} }, '2025-03-26'));
    driver.client({ method: 'notifications/initialized' });
    driver.news();
    const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
    const call = { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'mcp_dev_status' } };
    driver.client(JSON.stringify([ping, call]));
    driver.server(1, { id: 1, result: {} });
    expect(driver.toClient).toEqual([]);
    driver.event({ type: 'tool-result', key: executed(driver)[0]!.key, result: { content: [] } });
    expect(JSON.parse(driver.lastText).map(({ id }: Message) => id)).toEqual([1, 2]);
  });

  test('goes to the server when that has a tool of the name', () => {
    const driver = open([{ name: 'mcp_dev_status' }]);
    driver.client({ id: 7, method: 'tools/call', params: { name: 'mcp_dev_status' } });
    expect(executed(driver)).toEqual([]);
    expect(driver.last(1, 'tools/call').id).toBe(7);
  });

  test('survives the generation', () => {
    const driver = open();
    driver.client({ id: 7, method: 'tools/call', params: { name: 'mcp_dev_status' } });
    driver.gone(1);
    driver.broken();
    expect(answerTo(driver, 7)).toBeUndefined();
    driver.event({ type: 'tool-result', key: executed(driver)[0]!.key, result: { content: [] } });
    expect(answerTo(driver, 7)?.result).toEqual({ content: [] });
  });
});

describe('a call by way of ours', () => {
  test('is the call of the tool, with everything else as it came', () => {
    const driver = open();
    driver.client(
      '{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"_meta":{"progressToken":5},"name":"mcp_dev_call",' +
        '"arguments":{"tool":"echo","arguments":{ "n": 1.0 }},"task":{"ttl":1}}}',
    );
    const sent = driver.actions.findLast((action) => action.do === 'to-server');
    expect(sent?.line.text()).toBe(
      '{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"_meta":{"progressToken":5},"name":"echo",' +
        '"arguments":{ "n": 1.0 },"task":{"ttl":1}}}',
    );
    driver.server(1, { method: 'notifications/progress', params: { progressToken: 5, progress: 1 } });
    driver.server(1, { id: 'a', result: { content: [] } });
    expect(driver.news()).toEqual(['notifications/progress', 'a']);
  });

  test('needs no arguments', () => {
    const driver = open();
    callIt(driver, 7, { tool: 'echo' });
    expect(driver.last(1, 'tools/call').params).toEqual({ name: 'echo', arguments: {} });
  });

  test('waits for the change in which the tool comes', () => {
    const driver = open();
    driver.event({ type: 'awaited', change: true });
    callIt(driver, 7, { tool: 'add', arguments: { a: 1 } });
    driver.replace(2, [{ name: 'echo' }, { name: 'add' }]);
    expect(driver.received(1)).not.toContain('tools/call');
    expect(driver.last(2, 'tools/call')).toMatchObject({
      id: 7,
      params: { name: 'add', arguments: { a: 1 } },
    });
  });

  test('is refused for a tool that the generation has not, which names those that are like it', () => {
    const driver = open(['echo', 'ecco', 'add', 'subtract', 'multiply', 'divide'].map((name) => ({ name })));
    callIt(driver, 7, { tool: 'ehco' });
    const { result } = answerTo(driver, 7)!;
    expect(result.isError).toBe(true);
    expect(result.content[0].text).toMatch(
      /no tool "ehco" in generation 1; the nearest of its 6 tools: (echo|ecco), /,
    );
    expect(driver.received(1)).not.toContain('tools/call');
  });

  test('is refused with the reason when the tool is only in source that does not work', () => {
    const driver = open();
    driver.event({ type: 'awaited', change: true });
    callIt(driver, 7, { tool: 'add' });
    driver.broken();
    expect(answerTo(driver, 7)?.result.content[0].text).toMatch(/has the code before: no build; .*: echo$/);
  });

  test('is left to the server while its list is not certain', () => {
    const driver = open();
    driver.server(1, { method: 'notifications/tools/list_changed' });
    callIt(driver, 7, { tool: 'grown' });
    expect(driver.last(1, 'tools/call').params.name).toBe('grown');
  });

  test('is sent again by the hints of the tool that it calls', () => {
    const tools = [{ name: 'read', annotations: { readOnlyHint: true } }, { name: 'write' }];
    const driver = open(tools);
    callIt(driver, 7, { tool: 'read' });
    callIt(driver, 8, { tool: 'write' });
    driver.event({ type: 'awaited', change: false });
    driver.gone(1);
    expect(answerTo(driver, 8)?.result).toMatchObject({ isError: true });
    driver.replace(2, tools);
    expect(driver.last(2, 'tools/call')).toMatchObject({ id: 7, params: { name: 'read' } });
  });

  test('is marked when old code answers it', () => {
    const driver = open();
    driver.broken();
    callIt(driver, 7, { tool: 'echo' });
    driver.server(1, { id: 7, result: { content: [] } });
    expect(answerTo(driver, 7)?.result._meta['mcp-dev']).toMatchObject({ stale: true });
  });

  test('does not wait for a schema that the client never reads', () => {
    const driver = open([{ name: 'echo', outputSchema: { title: 'old' } }]);
    driver.event({ type: 'awaited', change: true });
    callIt(driver, 7, { tool: 'echo' });
    driver.replace(2, [{ name: 'echo', outputSchema: { title: 'new' } }]);
    expect(driver.last(2, 'tools/call').id).toBe(7);
  });

  test.each([
    [{}, /needs the name of the tool/],
    [{ tool: 'echo', arguments: [] }, /"arguments" must be an object/],
    [{ tool: 'echo', server: 'other' }, /no server "other"; there is driven/],
    [{ tool: 'echo', text: 'x' }, /no argument "text"/],
    [{ tool: 'mcp_dev_status' }, /call it directly/],
    [{ tool: 'mcp_dev_call' }, /call it directly/],
  ])('with %j is refused', (args, reason) => {
    const driver = open();
    callIt(driver, 7, args);
    expect(answerTo(driver, 7)?.result).toMatchObject({ isError: true });
    expect(answerTo(driver, 7)?.result.content[0].text).toMatch(reason);
  });
});

describe('what a client is told in log messages', () => {
  const said = (driver: Driver) =>
    driver.toClient.filter(({ method }) => method === 'notifications/message').map(({ params }) => params);

  test('is what its level lets through', () => {
    const driver = Driver.open({ tools: {}, logging: {} });
    driver.event({ type: 'log', level: 'error', text: 'nobody asked' });
    driver.client({ id: 5, method: 'logging/setLevel', params: { level: 'warning' } });
    driver.server(1, { id: 5, result: {} });
    driver.event({ type: 'log', level: 'info', text: 'too little' });
    driver.event({ type: 'log', level: 'error', text: 'it broke' });
    expect(said(driver)).toEqual([{ level: 'error', logger: 'mcp-dev', data: 'it broke' }]);
  });

  test('in the modern era is what an open request asks for', () => {
    const driver = openModern();
    driver.event({ type: 'log', level: 'error', text: 'nothing is open' });
    const _meta = { 'io.modelcontextprotocol/logLevel': 'info' };
    driver.client({ id: 5, method: 'tools/call', params: enveloped({ name: 'echo', _meta }) });
    driver.event({ type: 'log', level: 'debug', text: 'too little' });
    driver.event({ type: 'log', level: 'info', text: 'it works' });
    driver.server(1, { id: 5, result: { content: [], resultType: 'complete' } });
    driver.event({ type: 'log', level: 'error', text: 'nothing is open any more' });
    expect(said(driver)).toEqual([{ level: 'info', logger: 'mcp-dev', data: 'it works' }]);
  });

  test('is nothing with --transparent', () => {
    const driver = Driver.open({ tools: {}, logging: {} }, [], { transparent: true });
    driver.client({ id: 5, method: 'logging/setLevel', params: { level: 'debug' } });
    driver.server(1, { id: 5, result: {} });
    driver.event({ type: 'log', level: 'error', text: 'it broke' });
    expect(said(driver)).toEqual([]);
  });
});
