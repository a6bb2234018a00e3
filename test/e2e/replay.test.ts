import { existsSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { JsonObject, Message } from '../kit/messages.ts';
import { alive } from '../kit/processes.ts';
import { RawClient } from '../kit/raw-client.ts';
import { type TempProject, tempProject } from '../kit/temp-project.ts';
import { until } from '../kit/wait.ts';
import { Dev } from './dev.ts';
import { CLIENTS, eraProject, PAIRS, SUBSCRIBED, useEverything, versionText } from './eras.ts';
import { Live, SERVE_MJS } from './live.ts';
import { throughMcpDev } from './official-client.ts';
import { type Finished, runMcpDev } from './run.ts';

type Entry = {
  readonly time: string;
  readonly from: 'client' | 'server';
  readonly generation?: number;
  readonly message: Message;
};

function recorded(project: TempProject, name = 'session.ndjson') {
  const [header = '', ...lines] = readFileSync(project.path(name), 'utf8').trimEnd().split('\n');
  return {
    header: JSON.parse(header) as JsonObject,
    entries: lines.map((line) => JSON.parse(line) as Entry),
  };
}

/** A server in one file with these tools; each is the text of a function. */
function server(tools: Readonly<Record<string, string>>): string {
  const members = Object.entries(tools).map(([name, code]) => `  ${JSON.stringify(name)}: ${code},\n`);
  return `${SERVE_MJS}\nserve('plain', {\n${members.join('')}});\n`;
}

const TOOLS = { add: '({ a, b }) => a + b', login: '({ token }) => JSON.stringify({ token, user: "ada" })' };

/** Records a session with a server of one file. */
async function record(
  tools: Readonly<Record<string, string>>,
  use: (live: Live) => Promise<void>,
  args: readonly string[] = [],
): Promise<TempProject> {
  const files = { 'package.json': '{ "name": "plain", "type": "module" }', 'server.mjs': server(tools) };
  const live = Live.start(files, ['--record', 'session.ndjson', ...args, 'server.mjs']);
  await live.client.initialize();
  await live.client.result('tools/list');
  await use(live);
  await live.client.close();
  return live.project;
}

function replay(project: TempProject, args: readonly string[] = ['server.mjs']): Promise<Finished> {
  return runMcpDev(['replay', 'session.ndjson', ...args], { cwd: project.folder });
}

describe('--record', () => {
  test('every message as the client sent and saw it, with time, sender and generation', async () => {
    const dev = await Dev.connect({ args: ['--record', 'session.ndjson', '--name', 'mine'] });
    await dev.client.callTool('echo', { text: 'one' });
    await dev.reload(2);
    await dev.client.callTool('echo', { text: 'two' });
    await dev.client.close();

    const { header, entries } = recorded(dev.project);
    expect(header).toEqual({
      recording: 1,
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      by: expect.stringMatching(/^mcp-dev \d/),
      server: 'mine',
      command: [process.execPath, 'server.mjs'],
      cwd: dev.project.folder,
      redacted: [],
    });
    const toClient = entries.filter(({ from }) => from === 'server').map(({ message }) => message);
    expect(toClient).toEqual(dev.client.received.all);
    const fromClient = entries.filter(({ from }) => from === 'client').map(({ message }) => message.method);
    expect(fromClient).toEqual(['initialize', 'notifications/initialized', 'tools/call', 'tools/call']);
    const calls = entries.filter(({ message }) => message.id === 2 || message.id === 3);
    expect(calls.map(({ from, generation }) => [from, generation])).toEqual([
      ['client', 1],
      ['server', 1],
      ['client', 2],
      ['server', 2],
    ]);
    expect(statSync(dev.project.path('session.ndjson')).mode & 0o777).toBe(0o600);
    // The file lies in the project, and started no reload.
    expect(dev.started).toBe(2);
  });

  test('bytes that JSON.parse would change are kept, and what is no JSON is kept as text', async () => {
    const dev = await Dev.connect({ args: ['--record', 'session.ndjson'] });
    const line = '{"jsonrpc":"2.0", "id":12345678901234567890,"method":"ping","x":1.0}';
    dev.client.send(`${line}\n`);
    dev.client.send('no "JSON"\n');
    await dev.client.next(({ error }) => error !== undefined);
    await dev.client.close();
    const text = readFileSync(dev.project.path('session.ndjson'), 'utf8');
    expect(text).toContain(`"message":${line}}\n`);
    expect(text).toContain('"text":"no \\"JSON\\""}\n');
  });

  test('values of --redact keys are masked, in text that a tool gives too, and in the command', async () => {
    const project = await record(
      TOOLS,
      async ({ client }) => {
        const result = await client.callTool('login', { token: 'top secret' });
        expect(result.content).toEqual([{ type: 'text', text: '{"token":"top secret","user":"ada"}' }]);
      },
      ['--redact', 'TOKEN'],
    );
    const text = readFileSync(project.path('session.ndjson'), 'utf8');
    expect(text).not.toContain('top secret');
    const last = recorded(project).entries.at(-1);
    expect(last?.message.result?.content).toEqual([
      { type: 'text', text: '{"token":"[redacted]","user":"ada"}' },
    ]);
    const { code, stdout } = await replay(project);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'equal: 3 answers as in session.ndjson\n' });
  });

  test('a client that says nothing replaces no recording, and a later session does', async () => {
    const project = await record(
      TOOLS,
      async ({ client }) => void (await client.callTool('add', { a: 1, b: 2 })),
    );
    const before = recorded(project);
    await runMcpDev(['--record', 'session.ndjson', 'server.mjs'], { cwd: project.folder });
    expect(recorded(project)).toEqual(before);
    const again = Live.startIn(project, ['--record', 'session.ndjson', 'server.mjs']);
    await again.client.initialize();
    await again.client.close();
    expect(recorded(project).entries).toHaveLength(3);
  });

  test('a large and fast session is recorded without a gap', async () => {
    const project = await record(TOOLS, async ({ client }) => {
      const text = 'x'.repeat(100_000);
      const calls = Array.from({ length: 400 }, (_, index) =>
        client.request('tools/call', { name: 'add', arguments: { a: text, b: index } }),
      );
      await Promise.all(calls);
    });
    const { entries } = recorded(project);
    expect(entries).toHaveLength(2 * 402 + 1);
    expect(statSync(project.path('session.ndjson')).size).toBeGreaterThan(2 * 400 * 100_000);
  });

  test('what is there and is no recording is not replaced', async () => {
    const project = tempProject({ 'package.json': '{}', 'server.mjs': '// a program\n' });
    const wrong = await runMcpDev(['--record', 'server.mjs', 'server.mjs'], { cwd: project.folder });
    expect({ code: wrong.code, stdout: wrong.stdout }).toEqual({ code: 2, stdout: '' });
    expect(wrong.stderr).toMatch(
      /^mcp-dev: --record names \S+\/server\.mjs, which is there already and is no/,
    );
    const device = await runMcpDev(['--record', '/dev/null', 'server.mjs'], { cwd: project.folder });
    expect(device.stderr).toMatch(/^mcp-dev: --record names \/dev\/null, which is no file/);
    expect(existsSync('/dev/null')).toBe(true);
  });
});

describe('mcp-dev replay', () => {
  const twoCalls = async ({ client }: Live): Promise<void> => {
    await client.callTool('add', { a: 1, b: 2 });
    await client.callTool('add', { a: 20, b: 3 });
  };

  test('the same server: equal', async () => {
    const project = await record(TOOLS, twoCalls);
    const { code, stdout, stderr } = await replay(project, ['--', process.execPath, 'server.mjs']);
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: 'equal: 4 answers as in session.ndjson\n',
      stderr: '',
    });
  });

  test('another answer: the first difference, with its request', async () => {
    const project = await record(TOOLS, twoCalls);
    project.write('server.mjs', server({ ...TOOLS, add: '({ a, b }) => (a > 9 ? a - b : a + b)' }));
    const { code, stdout } = await replay(project);
    expect(code).toBe(1);
    expect(stdout).toBe(
      [
        'different: the answer to tools/call add (id 4, line 9 of the recording)',
        '  at result.content[0].text',
        '  - "23"',
        '  + "17"',
        '  - is recorded, + came; the request: {"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"add","arguments":{"a":20,"b":3}}}',
        '4 answers of session.ndjson compared, 3 equal',
        '',
      ].join('\n'),
    );
  });

  test('a tool that is gone is named, whatever the order of the others', async () => {
    const project = await record(TOOLS, twoCalls);
    project.write('server.mjs', server({ extra: '() => 1', login: TOOLS.login, add: TOOLS.add }));
    const more = await replay(project);
    expect(more.code).toBe(1);
    expect(more.stdout).toContain('  at result.tools.extra\n  - (nothing)\n  + {\n');
    project.write('server.mjs', server({ login: TOOLS.login, add: TOOLS.add }));
    expect((await replay(project)).code).toBe(0);
  });

  test('parts that may differ: times by --ignore-times, others by --ignore', async () => {
    const tools = { now: '() => "it is " + new Date().toISOString()', random: '() => Math.random()' };
    const project = await record(tools, async ({ client }) => {
      await client.callTool('now');
      await client.callTool('random');
    });
    const text = '--ignore=result.content.*.text';
    expect((await replay(project)).code).toBe(1);
    const times = await replay(project, ['--ignore-times', 'server.mjs']);
    expect(times.stdout).toContain('different: the answer to tools/call random');
    expect((await replay(project, [text, 'server.mjs'])).code).toBe(0);
    expect((await replay(project, ['--ignore-times', '--ignore', '**.text', 'server.mjs'])).code).toBe(0);
  });

  test('a server that dies, and one that does not answer', async () => {
    const project = await record(TOOLS, twoCalls);
    project.write('server.mjs', server({ ...TOOLS, add: '() => process.exit(3)' }));
    const died = await replay(project);
    expect(died.code).toBe(1);
    expect(died.stdout).toBe(
      'the server ended (exit code 3) before all was answered\n2 of 4 answers of session.ndjson compared, 2 equal\n',
    );
    project.write('server.mjs', 'process.stdin.resume();\n');
    const silent = await replay(project, ['--timeout', '300', 'server.mjs']);
    expect(silent.code).toBe(1);
    expect(silent.stdout).toMatch(
      /^no answer: within 300 ms the server did not send an answer to initialize \(id 1, line 2 of the recording\)\n/,
    );
    const missing = await replay(project, ['--', 'no-such-command']);
    expect(missing).toMatchObject({ code: 1, stdout: expect.stringContaining('command not found') });
  });

  test('a replay that is ended ends its server', async () => {
    const project = await record(TOOLS, twoCalls);
    project.write('server.mjs', 'console.error("pid", process.pid);\nprocess.stdin.resume();\n');
    const client = RawClient.mcpDev(['replay', 'session.ndjson', 'server.mjs'], { cwd: project.folder });
    const pid = Number((await client.stderrLine(/^pid/)).slice(4));
    client.kill('SIGTERM');
    expect((await client.exit()).code).toBe(143);
    await until(() => !alive(pid), 'the server is gone');
  });

  test('the server finds the variables that it found in the session', async () => {
    const names = ['MCP_DEV', 'MCP_DEV_GENERATION', 'MCP_DEV_SECRET'];
    const found = `() => JSON.stringify([
      ...${JSON.stringify(names)}.map((name) => process.env[name]?.length),
      process.getBuiltinModule('node:fs').existsSync(process.env.MCP_DEV_STATE_DIR),
    ])`;
    const project = await record({ found }, async ({ client }) => {
      const { content } = await client.result('tools/call', { name: 'found', arguments: {} });
      expect(content).toEqual([{ type: 'text', text: '[1,1,64,true]' }]);
    });
    expect((await replay(project)).stdout).toBe('equal: 3 answers as in session.ndjson\n');
  });

  test('a TypeScript entry is built first', async () => {
    const project = await record(TOOLS, twoCalls);
    project.write('serve.mjs', SERVE_MJS);
    project.write(
      'server.ts',
      `import { serve } from './serve.mjs';
       const add = ({ a, b }: { a: number; b: number }): number => a + b;
       serve('plain', { add, login: () => '' });`,
    );
    expect((await replay(project, ['server.ts'])).stdout).toBe('equal: 4 answers as in session.ndjson\n');
    project.write('server.ts', 'const x: = 1;');
    const broken = await replay(project, ['server.ts']);
    expect(broken).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('the build failed'),
    });
  });

  test('what the server asks is answered from the recording, by method and order', async () => {
    const dev = await Dev.connect({ args: ['--record', 'session.ndjson'] });
    const first = await dev.puppet(1);
    await first.received('notifications/initialized');
    for (const name of ['one', 'two']) {
      dev.client.answer('roots/list', () => ({ roots: [{ uri: `file:///${name}` }] }));
      await first.do({ do: 'ask', id: name, method: 'roots/list', params: {} });
      await first.event('answered', ({ id }) => id === name);
    }
    await dev.client.callTool('echo', { text: 'x' });
    await dev.client.close();

    const asking = `
      import { createInterface } from 'node:readline';
      import { appendFileSync } from 'node:fs';
      const say = (message) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n');
      const { result } = ${JSON.stringify(recorded(dev.project).entries.find(({ message }) => message.id === 1 && message.result)?.message)};
      createInterface({ input: process.stdin }).on('line', (line) => {
        const message = JSON.parse(line);
        appendFileSync('heard.ndjson', line + '\\n');
        if (message.method === 'initialize') say({ id: message.id, result });
        if (message.method === 'notifications/initialized') {
          say({ id: 'mine', method: 'roots/list' });
          say({ id: 'also mine', method: 'roots/list' });
        }
        if (message.method === 'tools/call') say({ id: message.id, result: { content: [{ type: 'text', text: 'x @1' }] } });
      });`;
    dev.project.write('asking.mjs', asking);
    const { code, stdout } = await replay(dev.project, ['asking.mjs']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'equal: 2 answers as in session.ndjson\n' });
    const heard = readFileSync(dev.project.path('heard.ndjson'), 'utf8').trimEnd().split('\n');
    expect(heard.map((line) => JSON.parse(line))).toMatchObject([
      { method: 'initialize' },
      { method: 'notifications/initialized' },
      { id: 'mine', result: { roots: [{ uri: 'file:///one' }] } },
      { id: 'also mine', result: { roots: [{ uri: 'file:///two' }] } },
      { method: 'tools/call' },
    ]);
  });

  test.each(PAIRS)('all that a client does: client %s, server %s (%s)', async (name, server) => {
    const project = eraProject(server);
    const args = ['--record', 'session.ndjson', '--', process.execPath, 'server.mjs'];
    const sdk = await CLIENTS[name](throughMcpDev(project, args));
    await sdk.subscribe(SUBSCRIBED);
    await useEverything(sdk, { version: 'one' });
    await sdk.client.close();
    const same = await replay(project);
    expect(same.stdout, same.stderr).toMatch(/^equal: \d+ answers as in session.ndjson/);
    expect(same.code).toBe(0);
    project.write('version.mjs', versionText({ version: 'two' }));
    const { code, stdout } = await replay(project, ['--ignore', '**.instructions', 'server.mjs']);
    expect(code).toBe(1);
    expect(stdout).toContain('different: the answer to tools/call version');
    expect(stdout).toContain('  - "one"\n  + "two"\n');
  });

  test.each([
    { args: ['replay'], says: 'name the recording and the command of the server: mcp-dev replay' },
    { args: ['replay', 'x.ndjson'], says: /the recording is \S+x\.ndjson, which does not exist/ },
    { args: ['replay', 'server.mjs'], says: 'name the command of the server after "--"' },
    { args: ['replay', 'server.mjs', '--', 'node', 'x.js'], says: /server\.mjs is no recording/ },
    { args: ['replay', 'bad.ndjson', 'server.mjs'], says: /bad\.ndjson is damaged: line 2 is no message/ },
    { args: ['replay', 'new.ndjson', 'server.mjs'], says: /is a recording of version 2/ },
    { args: ['replay', '--wathc', 'x'], says: 'unknown option --wathc' },
  ])('mcp-dev $args: exit code 2', async ({ args, says }) => {
    const project = tempProject({
      'server.mjs': '',
      'bad.ndjson': '{"recording":1,"redacted":[]}\n{"time":"x"}\n',
      'new.ndjson': '{"recording":2,"redacted":[]}\n',
    });
    const { code, stdout, stderr } = await runMcpDev(args, { cwd: project.folder });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(typeof says === 'string' ? new RegExp(says.replaceAll('"', '\\"')) : says);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});
