import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { privateFolder } from '../../src/config/private-folder.ts';
import { converse } from '../../src/control/connection.ts';
import { RawClient } from '../kit/raw-client.ts';
import { tempProject } from '../kit/temp-project.ts';
import { until, within } from '../kit/wait.ts';
import { Dev, GATED_BUILD } from './dev.ts';
import { type Finished, MCP_DEV, run, runMcpDev } from './run.ts';

/** A build that fails as long as the source has a certain word in it. */
const BUILD = '! grep -n broken src/a.js >&2';

/** A command in the project's folder, as somebody in another terminal gives it. */
function command(dev: Dev, ...words: string[]): Promise<Finished> {
  return runMcpDev(words, { cwd: dev.project.folder });
}

/** Sockets of the process. */
function sockets(pid: number): readonly string[] {
  return readdirSync(privateFolder() ?? '').filter((name) => name.startsWith(`${pid}-`));
}

/** A session that other terminals can reach. */
async function connect(options: Parameters<typeof Dev.connect>[0] = {}): Promise<Dev> {
  const dev = await Dev.connect(options);
  await registered(dev);
  return dev;
}

async function registered({ client }: Dev): Promise<void> {
  await until(() => sockets(client.pid).length === 1, 'it can be reached');
}

async function statusOf(dev: Dev, name?: string): Promise<any[]> {
  const { stdout } = await command(dev, 'status', ...(name === undefined ? [] : [name]), '--json');
  return JSON.parse(stdout);
}

describe('who can be reached', () => {
  test('a process that is only asked what the server is registers nothing, until it is used', async () => {
    const dev = await Dev.start({ puppet: { eras: ['legacy', 'modern'] } });
    dev.client.speakModern();
    await dev.client.result('server/discover');
    await dev.tookOver(1);
    expect(sockets(dev.client.pid)).toEqual([]);
    await dev.client.result('tools/list');
    await registered(dev);
    const [{ era, instance }] = await statusOf(dev, String(dev.client.pid));
    expect({ era, pid: instance.pid }).toEqual({ era: 'modern', pid: dev.client.pid });
    await dev.client.close();
    expect(sockets(dev.client.pid)).toEqual([]);
  });

  test('a server that does not even build for its client shows why', async () => {
    const dev = await Dev.start({ args: ['--build', BUILD], files: { 'src/a.js': 'broken' } });
    dev.client.send({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-06-18' },
    });
    await registered(dev);
    await dev.client.stderrLine(/build failed/);
    const { code, stdout } = await command(dev, 'status');
    expect(code).toBe(1);
    expect(stdout).toContain('○ puppet-project  down\n  nothing serves');
    expect(stdout).toContain('│ 1:broken');
  });

  test('terminal mode can be reached without a client', async () => {
    const project = tempProject({
      'package.json': '{ "name": "alone" }',
      'server.mjs': `await import(${JSON.stringify(Dev.puppetFile)});\n`,
    });
    const alone = RawClient.mcpDev(['--terminal', 'server.mjs'], { cwd: project.folder });
    await until(() => sockets(alone.pid).length === 1, 'it can be reached');
    await alone.stderrLine(/tools/);
    const { stdout } = await runMcpDev(['call', 'echo', '{"text":"to nobody"}'], { cwd: project.folder });
    expect(stdout).toContain('to nobody');
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s takes the socket away', async (signal) => {
    const dev = await connect();
    dev.client.kill(signal);
    await dev.client.exit();
    expect(sockets(dev.client.pid)).toEqual([]);
  });

  test('what a killed one leaves is not taken for it, and removed; its twin goes on', async () => {
    const dev = await connect();
    const twin = dev.another();
    await twin.initialize();
    await until(() => sockets(twin.pid).length === 1, 'the other can be reached');
    dev.client.kill('SIGKILL');
    await dev.client.exit();
    expect(sockets(dev.client.pid)).toHaveLength(1);
    const { code, stderr } = await command(dev, 'status', String(dev.client.pid));
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no mcp-dev is called'),
    });
    expect(sockets(dev.client.pid)).toEqual([]);
    const [status, ...more] = await statusOf(dev);
    expect({ pid: status.instance.pid, state: status.state, more }).toEqual({
      pid: twin.pid,
      state: 'serving',
      more: [],
    });
  });
});

describe('one server', () => {
  test('its status is for people and for scripts', async () => {
    const dev = await connect();
    await dev.reload(2);
    const { code, stdout, stderr } = await command(dev, 'status');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [head, serving, watches] = stdout.split('\n');
    expect(head).toBe('● puppet-project  serving');
    expect(serving).toMatch(/^ {2}generation 2, process \d+, up \d+ s, protocol 2025-06-18 \(legacy\)$/);
    expect(watches).toBe(`  watches ${dev.project.folder}`);
    expect(stdout).toMatch(
      / {2}\d\d:\d\d:\d\d {2}#2 {3}src\/a\.js\n {12}[░▓█]+ +wait \d+, (build \d+, )?start \d+, all \d+ ms\n/,
    );
    const [status] = await statusOf(dev);
    expect(status).toMatchObject({
      format: 1,
      instance: { pid: dev.client.pid, cwd: dev.project.folder, root: dev.project.folder },
      server: 'puppet-project',
      state: 'serving',
      generation: 2,
      reloads: [{ generation: 1 }, { generation: 2, ok: true, trigger: { kind: 'change' } }],
    });
  });

  test('reload waits for what comes of it, and fails with what the compiler says', async () => {
    const dev = await connect({ args: ['--build', BUILD] });
    const good = await command(dev, 'reload', '--reason', 'just so');
    expect(good).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('✔ generation 2 took over (mcp-dev reload: just so;'),
    });
    expect(good.stdout).toContain('no differences');
    dev.project.write('src/a.js', 'broken');
    const bad = await command(dev, 'reload');
    expect(bad.code).toBe(1);
    expect(bad.stdout).toContain('generation 2 goes on with the code before\n1:broken\n');
    const stale = await command(dev, 'status');
    expect(stale).toMatchObject({ code: 1, stdout: expect.stringContaining('● puppet-project  stale') });
    const old = await command(dev, 'call', 'add', '{"a":1,"b":2}');
    expect(old).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^3/),
      stderr: expect.stringContaining('old code (generation 2, build_failed)'),
    });
  });

  test('several who ask for a reload at the same time all hear of it', async () => {
    const dev = await connect();
    const done = await Promise.all([1, 2, 3].map(() => command(dev, 'reload')));
    expect(done.map(({ code }) => code)).toEqual([0, 0, 0]);
    for (const { stdout } of done) expect(stdout).toMatch(/^✔ generation \d+ took over/);
  });

  test('logs show the end of it, and with -f what comes later', async () => {
    const dev = await connect();
    const puppet = await dev.puppet(1);
    await puppet.do({ do: 'stderr', text: 'one\ntwo\n' });
    await dev.client.stderrLine(/^two$/);
    const follower = RawClient.mcpDev(['logs', '-f', '--source', 'server', '-n', '1'], {
      cwd: dev.project.folder,
    });
    await until(() => follower.garbage.length === 1, 'the last line');
    await puppet.do({ do: 'stderr', text: 'three\n' });
    await until(() => follower.garbage.length === 2, 'the line that comes later');
    expect(follower.garbage.map((line) => line.replace(/^\S+ /, ''))).toEqual([
      'server   #1 two',
      'server   #1 three',
    ]);
    const { stdout } = await command(dev, 'logs', '--generation', '1');
    expect(stdout).toContain('server   #1 one\n');
    await dev.client.close();
    expect(await follower.exit()).toEqual({ code: 0, signal: null });
  });

  test('who reads slowly, as a pager does, gets the whole log', async () => {
    const dev = await connect();
    const puppet = await dev.puppet(1);
    await puppet.do({ do: 'stderr', text: `${'a line of the log '.repeat(10)}\n`.repeat(4000) });
    await puppet.do({ do: 'stderr', text: 'the last one\n' });
    await dev.client.stderrLine(/^the last one$/);
    const reader = '"$0" "$1" logs --source server --lines 4001 | { sleep 1; grep -c line; }';
    const { stdout } = await run('sh', ['-c', reader, process.execPath, MCP_DEV], {
      cwd: dev.project.folder,
    });
    expect(Number(stdout)).toBe(4000);
  });

  test('a call reaches the server, and its answer the caller alone', async () => {
    const dev = await connect({
      puppet: {
        moreTools: [{ name: 'fails', result: { content: [{ type: 'text', text: 'no' }], isError: true } }],
      },
    });
    const before = dev.client.received.all.length;
    expect(await command(dev, 'call', 'echo', '{"text":"hi"}')).toMatchObject({
      code: 0,
      stdout: 'hi @1\n',
      stderr: '',
    });
    const json = await command(dev, 'call', String(dev.client.pid), 'echo', '{"text":"hi"}', '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ content: [{ type: 'text', text: 'hi @1' }] });
    expect(await command(dev, 'call', 'fails')).toMatchObject({ code: 1, stdout: 'no\n' });
    expect(await command(dev, 'call', 'echo', '{text')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('must be a JSON object'),
    });
    expect(dev.client.received.all.slice(before)).toEqual([]);
  });

  test('a call that is given up on is cancelled', async () => {
    const dev = await connect();
    const caller = RawClient.mcpDev(['call', 'slow'], { cwd: dev.project.folder });
    const puppet = await dev.puppet(1);
    const held = await puppet.received('tools/call');
    caller.kill('SIGINT');
    const cancelled = await puppet.received('notifications/cancelled');
    expect(cancelled.params?.requestId).toBe(held.id);
  });

  test('a call that comes while a change is built is answered by the new code', async () => {
    const dev = await connect({ args: ['--build', GATED_BUILD] });
    await dev.saveAndBuild();
    const [socket] = sockets(dev.client.pid);
    const replies = converse(`${privateFolder()}/${socket}`, {
      ask: 'call',
      tool: 'echo',
      arguments: { text: 'hi' },
    });
    const answered = replies.next();
    // That takes a process of its own, and much longer than to ask from here.
    expect(await statusOf(dev)).toMatchObject([{ state: 'building', generation: 1 }]);
    dev.openGate();
    const { value } = await answered;
    expect(value).toMatchObject({ reply: 'call', response: { result: { content: [{ text: 'hi @2' }] } } });
    const { messages } = await dev.puppet(1);
    expect(messages.map(({ method }) => method)).not.toContain('tools/call');
  });

  test('a session of the stateless protocol takes calls as well', async () => {
    const dev = await Dev.connectModern();
    await registered(dev);
    expect(await command(dev, 'call', 'echo', '{"text":"hi"}')).toMatchObject({
      code: 0,
      stdout: 'hi @1\n',
      stderr: '',
    });
  });

  test('stop ends it as SIGTERM does', async () => {
    const dev = await connect();
    expect(await command(dev, 'stop')).toMatchObject({
      code: 0,
      stdout: `puppet-project (process ${dev.client.pid}) has ended\n`,
    });
    expect(await dev.client.exit()).toEqual({ code: 143, signal: null });
    expect(sockets(dev.client.pid)).toEqual([]);
  });

  test('watching prints each change where there is no terminal', async () => {
    const dev = await connect();
    const watcher = RawClient.mcpDev(['status', '--watch', '--json'], { cwd: dev.project.folder });
    const states = (): unknown[] => watcher.lines.map((line) => JSON.parse(line.toString())[0]?.generation);
    await until(() => states().includes(1), 'the first generation');
    await dev.reload(2);
    await until(() => states().includes(2), 'the second generation');
    watcher.kill('SIGINT');
    expect(await watcher.exit()).toEqual({ code: 130, signal: null });
  });
});

describe('several servers', () => {
  test('of one folder: status lists all, reload reloads all, the others ask which', async () => {
    const dev = await connect();
    const twin = dev.another();
    await twin.initialize();
    await until(() => sockets(twin.pid).length === 1, 'the other can be reached');
    expect((await statusOf(dev)).map(({ instance }) => instance.pid)).toEqual([dev.client.pid, twin.pid]);
    const { code, stdout } = await command(dev, 'reload');
    expect(code).toBe(0);
    expect(stdout.match(/^puppet-project ✔ generation 2 took over/gm)).toHaveLength(2);
    for (const words of [['logs'], ['call', 'echo'], ['stop']]) {
      const refused = await command(dev, ...words);
      expect(refused).toMatchObject({ code: 2, stdout: '' });
      expect(refused.stderr).toContain(`puppet-project (process ${twin.pid}, in ${dev.project.folder})`);
      expect(refused.stderr.trimEnd().split('\n')).toHaveLength(1);
    }
    expect(await command(dev, 'stop', String(twin.pid))).toMatchObject({ code: 0 });
    await twin.exit();
    expect((await statusOf(dev)).map(({ instance }) => instance.pid)).toEqual([dev.client.pid]);
  });

  test('one is found from below its folder, and by name from anywhere', async () => {
    // Nothing else that runs on this machine is called like this.
    const name = `found-${randomUUID()}`;
    const dev = await connect({ args: ['--name', name] });
    const below = await runMcpDev(['status', '--json'], { cwd: dev.project.path('src') });
    expect(JSON.parse(below.stdout)).toMatchObject([{ server: name }]);
    const anywhere = await runMcpDev(['call', name, 'echo', '{"text":"x"}'], {
      cwd: tempProject().folder,
    });
    expect(anywhere).toMatchObject({ code: 0, stdout: 'x @1\n' });
  });

  test('a suspended one is there, and does not answer', async () => {
    const dev = await connect();
    dev.client.kill('SIGSTOP');
    const { code, stderr } = await command(dev, 'status', String(dev.client.pid));
    dev.client.kill('SIGCONT');
    expect(code).toBe(1);
    expect(stderr).toContain(`process ${dev.client.pid}, which does not answer, as if suspended`);
    expect(await command(dev, 'status')).toMatchObject({ code: 0 });
  });

  test('a name that nobody has is no usage error', async () => {
    const none = await runMcpDev(['logs', 'nobody-is-called-this']);
    expect(none).toMatchObject({ code: 1, stdout: '' });
    expect(none.stderr).toMatch(/^mcp-dev: no mcp-dev (is called nobody-is-called-this|runs)/);
  });
});

const hasScript = String(spawnSync('script', ['--version']).stdout).includes('util-linux');

test.runIf(hasScript)('on a terminal, watching draws in place and leaves the screen as it was', async () => {
  const dev = await connect();
  const line = `${process.execPath} ${MCP_DEV} status --watch`;
  const terminal = spawn('script', ['-qec', line, '/dev/null'], {
    cwd: dev.project.folder,
    env: { ...process.env, TERM: 'xterm', NO_COLOR: '1' },
  });
  onTestFinished(() => void terminal.kill('SIGKILL'));
  const exit = once(terminal, 'close');
  let seen = '';
  terminal.stdout.on('data', (chunk) => {
    seen += String(chunk);
  });
  await until(() => seen.includes('generation 1,'), 'the first page');
  await dev.reload(2);
  await until(() => seen.includes('generation 2,'), 'the page after a reload');
  terminal.stdin.write('\u0003');
  const [code] = await within(exit, () => 'its end');
  expect(code).toBe(130);
  expect(seen.startsWith('\u001b[?1049h\u001b[?25l\u001b[H')).toBe(true);
  expect(seen).toContain('\u001b[H● puppet-project  serving\u001b[K');
  expect(seen.endsWith('\u001b[?25h\u001b[?1049l')).toBe(true);
});
