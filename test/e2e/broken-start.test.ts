import { expect, test } from 'vitest';
import { Dev } from './dev.ts';

test('a first start that fails at once is answered with what is wrong, and heals', async () => {
  const dev = await Dev.start({
    puppet: {
      atStart: [
        { do: 'stderr', text: 'no database\n' },
        { do: 'exit', code: 9 },
      ],
    },
  });
  const result = await dev.client.initialize({ protocolVersion: '2025-03-26' });
  expect(result).toMatchObject({
    protocolVersion: '2025-03-26',
    capabilities: {
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { listChanged: true },
    },
    serverInfo: { name: 'puppet-project' },
    instructions: expect.stringMatching(/exit code 9[\s\S]*no database/),
  });
  expect(await dev.tools()).toEqual([]);
  expect(await dev.client.callTool('echo')).toMatchObject({
    isError: true,
    content: [{ text: expect.stringContaining('exit code 9') }],
    _meta: { 'mcp-dev': { reason: 'start_failed', mayHaveExecuted: false, retryable: true } },
  });
  expect(await dev.client.request('resources/read', { uri: 'x:' })).toMatchObject({
    error: { code: -32603, data: { 'mcp-dev': { reason: 'start_failed' } } },
  });
  dev.saveServer({ protocolVersion: '2025-03-26' });
  await dev.client.next('notifications/tools/list_changed');
  expect(await dev.tools()).toEqual(['echo', 'add', 'slow']);
  const last = await dev.puppet(dev.started);
  expect(last.violations).toEqual([]);
});

test('a first build that fails is answered with what the compiler said, and heals', async () => {
  const dev = await Dev.start({
    args: ['--build', 'cat src/a.js; exit $(cat src/code.js)'],
    files: { 'src/a.js': 'a.ts(1,1): error TS1005\n', 'src/code.js': '2' },
  });
  const { instructions } = await dev.client.initialize();
  expect(instructions).toMatch(/the build failed \(exit code 2\)[\s\S]*error TS1005/);
  expect(await dev.client.callTool('echo')).toMatchObject({
    isError: true,
    _meta: { 'mcp-dev': { reason: 'build_failed', stderr: expect.stringContaining('TS1005') } },
  });
  expect(dev.started).toBe(0);
  dev.project.write('src/code.js', '0');
  await dev.client.next('notifications/tools/list_changed');
  expect(await dev.serving()).toBe(1);
});

test('a command that does not exist is said, and the session ends cleanly', async () => {
  const dev = await Dev.start({ launch: ['--', 'no-such-server', '--stdio'] });
  const { instructions } = await dev.client.initialize();
  expect(instructions).toContain('command not found: no-such-server');
  await dev.client.stderrLine(/command not found: no-such-server/);
  expect(await dev.tools()).toEqual([]);
  expect(await dev.client.close()).toEqual({ code: 0, signal: null });
});

test('a first start that never answers does not keep the client waiting, and is replaced by a save', async () => {
  const dev = await Dev.start({ puppet: { hold: [{ method: 'initialize' }] } });
  const { instructions } = await dev.client.initialize();
  expect(instructions).toContain('still starting');
  const list = dev.tools();
  dev.saveServer({});
  expect(await list).toEqual(['echo', 'add', 'slow']);
  await dev.client.next('notifications/tools/list_changed');
  expect(await dev.serving()).toBe(2);
});

test('a slow first start is waited for', async () => {
  const dev = await Dev.start({ puppet: { startDelay: 1500, instructions: 'of the server' } });
  const list = dev.client.initialize().then(() => dev.tools());
  expect(await list).toEqual(['echo', 'add', 'slow']);
  expect(dev.client.received.all[0]).toMatchObject({ result: { instructions: 'of the server' } });
  expect((await dev.puppet(1)).violations).toEqual([]);
});
