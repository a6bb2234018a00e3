import { expect, test } from 'vitest';
import { enveloped } from '../kit/messages.ts';
import { Dev } from './dev.ts';
import { CLIENTS, eraProject, PAIRS, SUBSCRIBED, useEverything, versionText } from './eras.ts';
import { directly, throughMcpDev } from './official-client.ts';
import { SdkClient } from './sdk-client.ts';
import { PINNED, Sdk2Client } from './sdk2-client.ts';

const PROGRAM = ['server.mjs'];

test.each(PAIRS)(
  'without mcp-dev: client %s, server %s, and all of it works (%s)',
  async (name, server, era) => {
    const sdk = await CLIENTS[name](directly(eraProject(server), PROGRAM));
    expect(sdk.era).toBe(era);
    await sdk.subscribe(SUBSCRIBED);
    await useEverything(sdk, { version: 'one' });
    expect(sdk.errors).toEqual([]);
  },
);

test.each(PAIRS)(
  'client %s, server %s: all of it works after each reload (%s)',
  async (name, server, era) => {
    const project = eraProject(server);
    const sdk = await CLIENTS[name](throughMcpDev(project, ['--', 'node', ...PROGRAM]));
    expect(sdk.era).toBe(era);
    await sdk.subscribe(SUBSCRIBED);
    await useEverything(sdk, { version: 'one' });
    const sources = [
      { version: 'two', more: ['added'] },
      { version: 'three' },
      { version: 'four', more: ['a', 'b'] },
    ];
    for (const [at, source] of sources.entries()) {
      const heard = sdk.notifications.all.length;
      project.write('version.mjs', versionText(source));
      await sdk.tookOver(at + 2);
      await sdk.notified('notifications/tools/list_changed', heard);
      await useEverything(sdk, source);
    }
    expect(sdk.errors).toEqual([]);
  },
);

test('a session that begins with a call of 2026-07-28 passes as it is', async () => {
  const dev = await Dev.connectModern();
  expect(await dev.serving()).toBe(1);
  const listen = { toolsListChanged: true };
  dev.client.send({
    jsonrpc: '2.0',
    id: 'mine',
    method: 'subscriptions/listen',
    params: enveloped({ notifications: listen }),
  });
  const { params } = await dev.client.next('notifications/subscriptions/acknowledged');
  expect(params).toEqual({
    notifications: listen,
    _meta: { 'io.modelcontextprotocol/subscriptionId': 'mine' },
  });
});

test('without mcp-dev: what cannot understand each other says so', async () => {
  const legacyClient = SdkClient.connectTo(directly(eraProject('SDK 2 modern only'), PROGRAM));
  await expect(legacyClient).rejects.toMatchObject({ code: -32022, data: { supported: ['2026-07-28'] } });
  const modernClient = Sdk2Client.connectTo(directly(eraProject('SDK 1'), PROGRAM), PINNED);
  await expect(modernClient).rejects.toMatchObject({ code: 'ERA_NEGOTIATION_FAILED' });
});
