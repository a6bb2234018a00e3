import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { createDevServer, type DevServer, type StampedEvent } from '../../src/library/index.ts';
import { PLAIN_JS, plainText } from '../e2e/live.ts';
import { type Message, parseMessage } from '../kit/messages.ts';
import { alive } from '../kit/processes.ts';
import { type TempProject, tempProject } from '../kit/temp-project.ts';
import { Arrivals, within } from '../kit/wait.ts';

const INITIALIZE = {
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'in-process' } },
};

/** A development server whose client is this process. */
async function start(project: TempProject, options: object = {}) {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const messages = new Arrivals<Message>('the messages of the server');
  const lines = createInterface({ input: stdout });
  lines.on('line', (line) => messages.push(parseMessage(line) as Message));
  // Of its input, which is for the session to hear.
  lines.on('error', () => {});
  const entry = project.path('server.mjs');
  const server = await createDevServer({ entry, stdin, stdout, stderr, ...options });
  onTestFinished(() => server.close());
  const send = (message: object) => stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const ask = async (message: {
    readonly id: number;
    readonly [member: string]: unknown;
  }): Promise<Message> => {
    send(message);
    const at = await messages.find(({ id }) => id === message.id, `an answer to ${message.id}`);
    return messages.all[at] as Message;
  };
  const connect = async () => {
    await ask(INITIALIZE);
    send({ method: 'notifications/initialized' });
  };
  const call = (id: number) => ask({ id, method: 'tools/call', params: { name: 'version', arguments: {} } });
  return { server, stdin, stdout, stderr, send, ask, connect, call };
}

function heard(server: DevServer): Arrivals<StampedEvent> {
  const events = new Arrivals<StampedEvent>('the events');
  for (const name of ['session', 'change', 'build', 'start', 'reload', 'crash', 'stop'] as const) {
    server.on(name, (event) => events.push(event));
  }
  return events;
}

test('a session with a client in the same process: events, reload, status, logs, close', async () => {
  const project = tempProject(PLAIN_JS);
  const { server, connect, call } = await start(project, { name: 'mine' });
  const events = heard(server);
  await connect();
  await events.find(({ event }) => event === 'reload', 'the first start');
  expect(events.all[0]).toMatchObject({ event: 'session', state: 'began' });
  expect(events.all).toContainEqual(
    expect.objectContaining({ event: 'session', state: 'connected', client: { name: 'in-process' } }),
  );

  project.write('server.mjs', plainText('two'));
  const reload = await server.reload({ reason: 'a test' });
  expect(reload).toMatchObject({ event: 'reload', ok: true });
  expect((await call(2)).result?.content).toEqual([{ type: 'text', text: 'two' }]);
  const { generation, pid, ...status } = server.status();
  expect(status).toMatchObject({ server: 'mine', state: 'serving', era: 'legacy' });
  expect(server.logs({ source: 'mcp-dev', lines: 1 })[0]?.text).toContain(
    `generation ${generation} took over`,
  );

  await server.close();
  await server.closed;
  expect(alive(pid as number)).toBe(false);
  expect(events.all.at(-1)).toMatchObject({ event: 'session', state: 'ended', server: 'mine' });
});

test('whoever waits for a reload hears of it when the session ends first', async () => {
  const project = tempProject(PLAIN_JS);
  const { server } = await start(project, { build: 'sleep 600' });
  const reload = server.reload();
  await server.close();
  expect(await within(reload, () => 'the end of the reload')).toEqual({ event: 'pending' });
  expect(await within(server.reload(), () => 'the end of another')).toEqual({ event: 'pending' });
});

test('a server that is closed before it began', async () => {
  const project = tempProject(PLAIN_JS);
  const { server } = await start(project);
  const events = heard(server);
  await server.close();
  await server.closed;
  expect(events.all.map(({ event }) => event)).toEqual(['session']);
});

test('a reload that fails resolves with the reason; a listener that left hears no more', async () => {
  const project = tempProject({ ...PLAIN_JS, fail: '' });
  const { server, connect } = await start(project, {
    build: '! test -e fail.now || { echo broken >&2; exit 3; }',
  });
  const lines: string[] = [];
  const leave = server.on('log', ({ source, text: line }) => source === 'build' && lines.push(line));
  await connect();
  project.write('fail.now', '');
  const failed = await server.reload();
  expect(failed).toMatchObject({
    event: 'reload',
    ok: false,
    error: { reason: 'build_failed', text: expect.stringContaining('broken') },
  });
  expect(server.status().state).toBe('stale');
  expect(lines).toContain('broken');
  leave();
  const { length } = lines;
  await server.reload();
  expect(lines).toHaveLength(length);
});

test('the client that closes its side ends the session', async () => {
  const project = tempProject(PLAIN_JS);
  const { server, connect, stdin, stderr } = await start(project);
  const said = text(stderr);
  await connect();
  const { pid } = server.status();
  stdin.end();
  await within(server.closed, () => 'the end of the session');
  expect(alive(pid as number)).toBe(false);
  stderr.end();
  expect(await said).toMatch(/^mcp-dev generation 1 started/);
});

test.each([
  ['stdin', new Error('gone')],
  ['stdin', undefined],
  ['stdout', new Error('gone')],
  ['stdout', undefined],
] as const)('a client whose %s breaks before the first event has gone: %o', async (name, error) => {
  const project = tempProject(PLAIN_JS);
  const { server, ...streams } = await start(project);
  streams[name].destroy(error);
  await within(server.closed, () => 'the end of the session');
});

test('a client that breaks off in the middle of the session has gone', async () => {
  const project = tempProject(PLAIN_JS);
  const { server, connect, stdin } = await start(project);
  await connect();
  const { pid } = server.status();
  stdin.destroy();
  await within(server.closed, () => 'the end of the session');
  expect(alive(pid as number)).toBe(false);
});

test('a stderr that broke before anything was said takes nothing with it', async () => {
  const project = tempProject(PLAIN_JS);
  const { stderr, connect, call } = await start(project);
  stderr.destroy(new Error('gone'));
  await connect();
  expect((await call(2)).result?.content).toEqual([{ type: 'text', text: 'one' }]);
});

test('a listener that throws takes no part of the session with it', async () => {
  const project = tempProject(PLAIN_JS);
  const { server, connect, call } = await start(project);
  const thrown: unknown[] = [];
  const others = process.rawListeners('uncaughtException') as ((error: unknown) => void)[];
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => thrown.push(error));
  onTestFinished(() => {
    process.removeAllListeners('uncaughtException');
    for (const other of others) process.on('uncaughtException', other);
  });
  const mistake = new Error('a mistake');
  server.on('reload', () => {
    throw mistake;
  });
  await connect();
  expect((await call(2)).result?.content).toEqual([{ type: 'text', text: 'one' }]);
  await server.reload();
  expect(thrown).toContain(mistake);
});

test.each([
  [{}, /^name the server as "command" or "entry"$/],
  [{ entry: 'nothing.mjs' }, /nothing\.mjs does not exist$/],
  [{ entry: 'server.mjs', debounze: 1 }, /^unknown key "debounze", did you mean "debounce"\?$/],
  [{ entry: 'server.mjs', terminal: true }, /^unknown key "terminal"/],
  [{ command: 'node server.mjs' }, /^"command" must be a list of strings/],
  [
    { entry: 'server.mjs', watch: 'nowhere' },
    /^createDevServer: "watch" names \S+nowhere, which does not exist$/,
  ],
  [
    { entry: 'server.mjs', command: ['node', 'server.mjs'] },
    /^"entry" and "command" exclude one another; keep one of them$/,
  ],
  [
    { entry: 'server.mjs', record: 'new', logFile: 'new' },
    /^createDevServer: "logFile" and createDevServer: "record" name the same file, .*new;/,
  ],
  [{ entry: 'server.mjs', record: 'server.mjs' }, /^createDevServer: "record" names .* is no recording$/],
])('options that cannot be used: %o', async (options, message) => {
  const { folder } = tempProject(PLAIN_JS);
  await expect(createDevServer({ cwd: folder, ...options } as never)).rejects.toMatchObject({
    name: 'OptionsError',
    message: expect.stringMatching(message),
  });
});

test('back-pressure: who does not read is not lost, and gets everything', async () => {
  const project = tempProject({
    ...PLAIN_JS,
    'server.mjs': plainText('one').replace("'one'", "'x'.repeat(1e6)"),
  });
  const stdout = new PassThrough({ highWaterMark: 1024 });
  const stdin = new PassThrough();
  const server = await createDevServer({ entry: project.path('server.mjs'), quiet: true, stdin, stdout });
  onTestFinished(() => server.close());
  const send = (message: object) => stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  send(INITIALIZE);
  await once(stdout, 'readable');
  for (let id = 2; id < 42; id++) send({ id, method: 'tools/call', params: { name: 'version' } });
  const messages = new Arrivals<Message>('the messages of the server');
  createInterface({ input: stdout }).on('line', (line) => messages.push(parseMessage(line) as Message));
  await messages.find(({ id }) => id === 41, 'the last answer');
  const answers = messages.all.filter(({ id, result }) => Number(id) > 1 && result !== undefined);
  expect(answers).toHaveLength(40);
});
