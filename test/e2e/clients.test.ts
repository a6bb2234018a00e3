import { EventEmitter, once } from 'node:events';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { expect, test } from 'vitest';
import { repositoryFile } from '../kit/messages.ts';
import { type TempProject, tempProject } from '../kit/temp-project.ts';
import { SdkClient } from './sdk-client.ts';

const OWN_TOOLS = ['version', 'elicit', 'sample', 'roots', 'progress', 'endless'];
const LIST_CHANGED = 'notifications/tools/list_changed';

async function connect(): Promise<{ project: TempProject; sdk: SdkClient; save(server: object): void }> {
  const fixture = JSON.stringify(repositoryFile('fixtures/sdk-server/server.mjs'));
  const project = tempProject({
    'package.json': '{ "name": "sdk-project", "type": "module" }',
    'server.mjs': `await import(${fixture});\n`,
    'server.json': '{ "version": "one" }',
  });
  const sdk = await SdkClient.connect(project, ['--', 'node', 'server.mjs']);
  await sdk.tookOver(1);
  return { project, sdk, save: (server) => project.write('server.json', JSON.stringify(server)) };
}

test('several saves: the client hears of each, sees the tools that came and went, and calls the new code', async () => {
  const { sdk, save } = await connect();
  expect(sdk.client.getServerVersion()).toMatchObject({ name: 'sdk-server' });
  expect(await sdk.tools()).toEqual(OWN_TOOLS);
  let heard = 0;
  for (const { version, more } of [
    { version: 'two', more: ['added'] },
    { version: 'three', more: ['added', 'too'] },
    { version: 'four', more: ['too'] },
  ]) {
    save({ version, more });
    heard = await sdk.notified(LIST_CHANGED, heard);
    expect(await sdk.tools()).toEqual([...OWN_TOOLS, ...more]);
    expect(await sdk.call('version')).toBe(version);
    expect(await sdk.call(more.at(-1) ?? '')).toBe(`${more.at(-1)} @${version}`);
  }
  await expect(sdk.client.callTool({ name: 'added' })).rejects.toThrow('no tool added');
  expect(sdk.errors).toEqual([]);
});

test('what the server asks, tells and is told goes both ways before a swap and after it', async () => {
  const { project, sdk, save } = await connect();
  for (const version of ['one', 'two']) {
    if (version === 'two') {
      save({ version });
      await sdk.tookOver(2);
    }
    expect(await sdk.call('elicit')).toBe(`accept Ada @${version}`);
    expect(await sdk.call('sample')).toBe(`heard "from ${version}" @${version}`);
    expect(await sdk.call('roots')).toBe(`file://${project.folder} @${version}`);

    const steps: number[] = [];
    const onprogress = ({ progress }: { progress: number }) => steps.push(progress);
    await sdk.client.callTool({ name: 'progress' }, undefined, { onprogress });
    expect(steps).toEqual([1, 2, 3]);

    const cancel = new AbortController();
    const call = sdk.client.callTool({ name: 'endless' }, undefined, { signal: cancel.signal });
    await sdk.logged(`endless began @${version}`);
    cancel.abort('enough');
    await expect(call).rejects.toThrow('enough');
    await sdk.logged(`endless was cancelled @${version}`);
  }
  const three = ['elicitation/create', 'sampling/createMessage', 'roots/list'];
  expect(sdk.asked).toEqual([...three, ...three]);
  expect(sdk.errors).toEqual([]);
});

test('a call is finished by the process that got it, though the user answers its question after the swap', async () => {
  const { sdk, save } = await connect();
  const user = new EventEmitter();
  const answer = once(user, 'answers');
  const asked = once(user, 'is asked');
  sdk.client.setRequestHandler(ElicitRequestSchema, async () => {
    user.emit('is asked');
    await answer;
    return { action: 'accept', content: { name: 'Grace' } };
  });
  const call = sdk.call('elicit');
  await asked;
  save({ version: 'two' });
  await sdk.tookOver(2);
  expect(await sdk.call('version')).toBe('two');
  user.emit('answers');
  expect(await call).toBe('accept Grace @one');
  expect(sdk.errors).toEqual([]);
});

test('server-everything: all of it is there before and after a swap', async () => {
  const project = tempProject({ 'package.json': '{ "name": "everything" }' });
  const program = repositoryFile('node_modules/@modelcontextprotocol/server-everything/dist/index.js');
  const sdk = await SdkClient.connect(project, ['--', 'node', program, 'stdio']);
  const everything = async () => ({
    tools: (await sdk.client.listTools()).tools,
    prompts: (await sdk.client.listPrompts()).prompts,
    resources: (await sdk.client.listResources()).resources,
    templates: (await sdk.client.listResourceTemplates()).resourceTemplates,
    sum: await sdk.client.callTool({ name: 'get-sum', arguments: { a: 19, b: 23 } }),
    roots: await sdk.call('get-roots-list'),
    sampled: await sdk.client.callTool({
      name: 'trigger-sampling-request',
      arguments: { prompt: 'hello', maxTokens: 5 },
    }),
  });
  await sdk.logged('Roots updated: 1 root(s) received from client');
  const before = await everything();
  expect(before.tools.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      'echo',
      'get-roots-list',
      'trigger-elicitation-request',
      'trigger-sampling-request',
    ]),
  );
  expect(JSON.stringify(before.sum)).toContain('42');
  expect(before.roots).toContain(project.folder);
  const [resource] = before.resources;
  await sdk.client.subscribeResource({ uri: resource!.uri });

  const heard = sdk.notifications.all.length;
  const asked = sdk.asked.length;
  process.kill(sdk.pid, 'SIGUSR2');
  await sdk.tookOver(2);
  // A subscriber is told to read again, and then by the new process itself.
  const updated = await sdk.notified('notifications/resources/updated', heard);
  const told = sdk.notifications.all.slice(heard, updated).map(({ method }) => method);
  expect(told).toContain(LIST_CHANGED);
  await sdk.client.callTool({ name: 'toggle-subscriber-updates', arguments: {} });
  await sdk.notified('notifications/resources/updated', updated);

  expect(await everything()).toEqual(before);
  // The new process has asked for the roots by itself.
  expect(sdk.asked.slice(asked)).toContain('roots/list');
  expect(sdk.errors).toEqual([]);
});
