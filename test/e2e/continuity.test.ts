import { existsSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { textOf } from '../kit/messages.ts';
import { alive } from '../kit/processes.ts';
import { tempProject } from '../kit/temp-project.ts';
import { until } from '../kit/wait.ts';
import { Dev } from './dev.ts';

const LOOK = { name: 'look', annotations: { readOnlyHint: true }, inputSchema: { type: 'object' } };
const WITH_LOOK = { moreTools: [LOOK], hold: [{ method: 'tools/call', tool: 'look' }] };

/** A server that owns a port: it fails to start while another one has it. */
const PORT_OWNER = `
import { createServer } from 'node:net';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
const port = existsSync('port') ? Number(readFileSync('port', 'utf8')) : 0;
const server = createServer();
server.listen(port, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
writeFileSync('port', String(server.address().port));
server.unref();
`;

test('a server that owns a port is stopped first, once a second one has failed because of it', async () => {
  const dev = await Dev.connect({
    args: ['--ext', 'js'],
    files: { 'owner.mjs': PORT_OWNER, 'server.mjs': '' },
    launch: ['--', process.execPath, '--import', './owner.mjs', Dev.puppetFile],
  });
  await dev.tookOver(1);
  dev.save();
  await dev.client.stderrLine(/generation 2 ended before .* each generation ends before the next one starts/);
  expect(await dev.serving()).toBe(3);
  // It is known now: nothing fails any more.
  await dev.reload(4);
  expect(await dev.serving()).toBe(4);
  expect(dev.client.stderr.all.filter((line) => line.includes('ended before'))).toHaveLength(1);
});

test('a generation that crashes right after the hand-over gives way to the one before it', async () => {
  const dev = await Dev.connect();
  await dev.tookOver(1);
  const second = await dev.reload(2);
  await second.do({ do: 'exit', code: 7 });
  await dev.client.stderrLine(/generation 2 ended by itself \(exit code 7\); generation 1 serves again/);
  const result = await dev.client.callTool('echo', { text: '' });
  expect(textOf(result)).toMatch(/^ @1/);
  expect(result._meta).toEqual({ 'mcp-dev': { stale: true, generation: 1, reason: 'server_crashed' } });
  await dev.reload(3);
  expect((await dev.client.callTool('echo', { text: '' }))._meta).toBeUndefined();
});

test('the one before is gone after two seconds', async () => {
  const dev = await Dev.connect();
  const first = await dev.puppet(1);
  await dev.tookOver(1);
  await dev.reload(2);
  expect(alive(first.pid)).toBe(true);
  await first.gone;
  await until(() => !alive(first.pid), 'the first generation has ended');
});

test('the time to drain stands still while the user is asked, and then goes on', async () => {
  const drain = 400;
  const dev = await Dev.connect({ args: ['--drain', String(drain)] });
  const first = await dev.puppet(1);
  const call = dev.client.callTool('slow');
  await first.event('held');
  await first.do({ do: 'ask', id: 'q', method: 'elicitation/create', params: { message: 'sure?' } });
  const { id = null } = await dev.client.next('elicitation/create');
  await dev.reload(2);
  const replacedAt = performance.now();
  await until(() => performance.now() - replacedAt > 3 * drain, 'the user takes longer than a drain');
  dev.client.send({ jsonrpc: '2.0', id, result: { action: 'accept' } });
  const answeredAt = performance.now();
  // Its generation is still there to hear it, and has what it had left of its time to answer.
  await first.event('answered');
  expect((await call)._meta).toMatchObject({ 'mcp-dev': { reason: 'server_restarted', generation: 1 } });
  expect(performance.now() - answeredAt).toBeGreaterThan(drain / 2);
});

test('a read-only call that a crash interrupts is answered by the next process', async () => {
  const dev = await Dev.connect({ puppet: WITH_LOOK });
  const first = await dev.puppet(1);
  const call = dev.client.callTool('look');
  const read = dev.client.result('resources/read', { uri: 'puppet://state' });
  await read;
  await first.event('held');
  await first.do({ do: 'crash', signal: 'SIGKILL' });
  const second = await dev.puppet(2);
  const { id } = await second.event('held');
  await second.do({ do: 'answer', id, result: { content: [{ type: 'text', text: 'from 2' }] } });
  expect(textOf(await call)).toBe('from 2');
});

test('any other call that a crash interrupts fails, and says that it may have taken effect', async () => {
  const dev = await Dev.connect();
  const first = await dev.puppet(1);
  const call = dev.client.callTool('slow');
  await first.event('held');
  await first.do({ do: 'crash', signal: 'SIGKILL' });
  expect(await call).toMatchObject({
    isError: true,
    _meta: { 'mcp-dev': { reason: 'server_crashed', mayHaveExecuted: true, retryable: false } },
  });
  expect(await dev.serving()).toBe(2);
});

test('while a save is broken a result says that old code gave it, and why', async () => {
  const dev = await Dev.connect({
    args: ['--build', '! grep -q broken src/a.js || { echo TS1005; exit 2; }'],
  });
  await dev.tookOver(1);
  dev.project.write('src/a.js', 'broken');
  await dev.client.stderrLine(/the build failed/);
  const texts = [];
  for (let call = 0; call < 2; call++) {
    const { content } = await dev.client.callTool('echo', { text: '' });
    texts.push((content as { text: string }[]).map(({ text }) => text));
  }
  expect(texts[0]?.[1]).toMatch(/^mcp-dev: .*the build failed \(exit code 2\)\nTS1005/);
  expect(texts[1]?.[1]).toMatch(/^mcp-dev: [^\n]*the build failed \(exit code 2\)$/);
  dev.project.write('src/a.js', 'mended');
  await dev.tookOver(2);
  expect((await dev.client.callTool('echo', { text: '' })).content).toHaveLength(1);
});

test('--stale error does not call a tool of old code', async () => {
  const dev = await Dev.connect({ args: ['--stale', 'error', '--build', '! grep -q broken src/a.js'] });
  const first = await dev.puppet(1);
  await dev.tookOver(1);
  dev.project.write('src/a.js', 'broken');
  await dev.client.stderrLine(/the build failed/);
  expect(await dev.client.callTool('echo', { text: '' })).toMatchObject({
    isError: true,
    _meta: { 'mcp-dev': { reason: 'build_failed', mayHaveExecuted: false } },
  });
  await first.caughtUp();
  expect(first.messages.filter(({ method }) => method === 'tools/call')).toEqual([]);
});

test('a build that cannot replace a running program gets it out of the way, and remembers that', async () => {
  const busy =
    'for pid in $(cat pids 2>/dev/null); do if kill -0 "$pid"; then echo "cp: Text file busy"; exit 1; fi; done';
  const program = `
import { appendFileSync } from 'node:fs';
appendFileSync('pids', process.pid + ' ');
await import(${JSON.stringify(Dev.puppetFile)});
`;
  const dev = await Dev.connect({
    args: ['--build', `${busy} 2>/dev/null`],
    files: { 'server.mjs': program },
  });
  await dev.tookOver(1);
  await dev.reload(2);
  expect(dev.client.stderr.all.join('\n')).toMatch(/from now on each generation ends before the next build/);
  await dev.reload(3);
  expect(await dev.serving()).toBe(3);
  expect(dev.client.stderr.all.filter((line) => line.includes('from now on'))).toHaveLength(1);
});

test('the handshake of an earlier session answers a client whose server does not build today', async () => {
  const home = tempProject({});
  const env = { XDG_CACHE_HOME: home.folder, HOME: home.folder };
  const files = { 'server.mjs': `await import(${JSON.stringify(Dev.puppetFile)});\n` };
  const dev = await Dev.connect({ files, env, args: ['--build', '[ ! -e broken ]'] });
  await dev.tookOver(1);
  await dev.client.close();
  dev.project.write('broken', '');
  const again = await dev.another();
  const result = await again.initialize();
  expect(result.serverInfo).toMatchObject({ name: 'puppet' });
  expect(result.capabilities).toMatchObject({ completions: {}, logging: {} });
  expect(result.instructions).toContain('the build failed');
});

test('a cache folder inside of the project: what is remembered there is no change of the source', async () => {
  const cacheInside = ['sh', '-c', 'XDG_CACHE_HOME="$PWD/cache" exec "$@"', 'sh'];
  const dev = await Dev.connect({ wrapper: cacheInside });
  await dev.tookOver(1);
  const folder = dev.project.path('cache/mcp-dev/handshakes');
  await until(() => existsSync(folder) && readdirSync(folder).some((name) => name.endsWith('.json')), 'kept');
  dev.save();
  expect(await dev.tookOver(2)).toContain('took over (src/a.js;');
});

test('a program that is debugged keeps its port: one at a time, and no limit on its start', async () => {
  const dev = await Dev.connect({
    args: ['--ready-timeout', '50'],
    launch: ['--', process.execPath, '--inspect=127.0.0.1:0', 'server.mjs'],
    puppet: { startDelay: 400 },
  });
  await dev.tookOver(1);
  const first = await dev.puppet(1);
  dev.save();
  const second = await dev.puppet(2);
  expect(alive(first.pid)).toBe(false);
  await dev.tookOver(2);
  expect(alive(second.pid)).toBe(true);
});
