import { expect } from 'vitest';
import { repositoryFile } from '../kit/messages.ts';
import { type TempProject, tempProject } from '../kit/temp-project.ts';
import type { Era, Launch, OfficialClient } from './official-client.ts';
import { SdkClient } from './sdk-client.ts';
import { PINNED, Sdk2Client } from './sdk2-client.ts';

/** What each client of the official SDKs is called in tests, and how it connects. */
export const CLIENTS = {
  'SDK 1': (launch: Launch): Promise<OfficialClient> => SdkClient.connectTo(launch),
  'SDK 2 legacy': (launch: Launch): Promise<OfficialClient> => Sdk2Client.connectTo(launch, 'legacy'),
  'SDK 2 auto': (launch: Launch): Promise<OfficialClient> => Sdk2Client.connectTo(launch, 'auto'),
  'SDK 2 pinned': (launch: Launch): Promise<OfficialClient> => Sdk2Client.connectTo(launch, PINNED),
} as const;

/** The servers of `fixtures/eras`: they offer the same, and speak different versions of the protocol. */
export const SERVERS = ['SDK 1', 'SDK 2', 'SDK 2 modern only'] as const;

export type ClientName = keyof typeof CLIENTS;
export type ServerName = (typeof SERVERS)[number];

/** Which era a client and a server come to speak with each other; those that can't are left out. */
export const PAIRS: readonly (readonly [ClientName, ServerName, Era])[] = [
  ['SDK 1', 'SDK 1', 'legacy'],
  ['SDK 1', 'SDK 2', 'legacy'],
  ['SDK 2 legacy', 'SDK 1', 'legacy'],
  ['SDK 2 legacy', 'SDK 2', 'legacy'],
  ['SDK 2 auto', 'SDK 1', 'legacy'],
  ['SDK 2 auto', 'SDK 2', 'modern'],
  ['SDK 2 auto', 'SDK 2 modern only', 'modern'],
  ['SDK 2 pinned', 'SDK 2', 'modern'],
  ['SDK 2 pinned', 'SDK 2 modern only', 'modern'],
];

/** What `version.mjs` of a project says: see `fixtures/eras/features.mjs`. */
export interface ServerSource {
  readonly version: string;
  /** Each name is a tool, a prompt and a resource. */
  readonly more?: readonly string[];
}

/**
 * A project whose program is `server.mjs`; what it says changes with `version.mjs` alone. `options` are those of the
 * server of the SDK 2.x, as JavaScript: `{ key: process.env.KEY }`.
 */
export function eraProject(server: ServerName, options = '{}'): TempProject {
  return tempProject({
    'package.json': '{ "name": "era-project", "type": "module" }',
    'server.mjs': programOf(server, options),
    'version.mjs': versionText({ version: 'one' }),
  });
}

/** The text of `version.mjs`. */
export function versionText({ version, more = [] }: ServerSource): string {
  return `export const version = ${JSON.stringify(version)};\nexport const more = ${JSON.stringify(more)};\n`;
}

/** The tools of every version. */
export const OWN_TOOLS = ['version', 'echo', 'slow', 'ask', 'log', 'touch', 'grow'] as const;

/** The resource that a client has to be subscribed to before `useEverything`. */
export const SUBSCRIBED = 'eras://state';

/**
 * Uses all that the server offers, in either era, and expects each answer to come from this source. It leaves a tool
 * `grown` in the process that it used.
 */
export async function useEverything(sdk: OfficialClient, source: ServerSource): Promise<void> {
  await useStateless(sdk, source);
  const { version } = source;
  const heard = sdk.notifications.all.length;
  expect(await sdk.call('touch', { uri: 'eras://item/1' })).toBe(`touched @${version}`);
  expect(await sdk.call('touch', { uri: SUBSCRIBED })).toBe(`touched @${version}`);
  await sdk.notified('notifications/resources/updated', heard);
  expect(await sdk.call('grow', { name: 'grown' })).toBe(`grown @${version}`);
  await sdk.notified('notifications/tools/list_changed', heard);
  expect(await sdk.tools()).toContain('grown');
  const updated = sdk.notifications.all.slice(heard).filter(({ method }) => method?.endsWith('/updated'));
  expect(updated.map(({ params }) => params?.uri)).toEqual([SUBSCRIBED]);
}

/** The part of `useEverything` that each process of the server answers alike, whoever used it before. */
export async function useStateless(sdk: OfficialClient, { version, more = [] }: ServerSource): Promise<void> {
  expect(await sdk.tools()).toEqual([...OWN_TOOLS, ...more]);
  expect(await sdk.prompts()).toEqual(['greet', ...more]);
  const named = more.map((name) => `eras://${name}`);
  expect(await sdk.resources()).toEqual([SUBSCRIBED, ...named, 'eras://item/1']);
  expect(await sdk.templates()).toEqual(['eras://item/{id}']);
  expect(await sdk.call('version')).toBe(version);
  for (const name of more) expect(await sdk.call(name)).toBe(`${name} @${version}`);
  expect(await sdk.call('echo', { text: 'grüße' })).toBe(`grüße @${version}`);
  expect(await sdk.prompt('greet', { who: 'Ada' })).toBe(`Hello Ada @${version}`);
  expect(await sdk.read('eras://item/7')).toBe(`eras://item/7 @${version}`);
  expect(await sdk.complete('greet', 'who', 'A')).toEqual(['Ada', 'Alan']);

  const asked = sdk.asked.length;
  expect(await sdk.call('ask')).toBe(`accept Ada, asked by ${version} @${version}`);
  expect(sdk.asked.slice(asked)).toEqual(['elicitation/create']);

  expect(await sdk.call('log', { text: 'hello' })).toBe(`logged @${version}`);
  await sdk.logged(`hello @${version}`);

  await progressAndCancel(sdk, version);
}

async function progressAndCancel(sdk: OfficialClient, version: string): Promise<void> {
  const gates = tempProject();
  const steps: number[] = [];
  const open = ({ progress }: { readonly progress: number }) => {
    steps.push(progress);
    gates.write(`gate ${progress}`, '');
  };
  const two = [gates.path('gate 1'), gates.path('gate 2')];
  expect(await sdk.call('slow', { gates: two }, { onprogress: open })).toBe(`slow @${version}`);
  expect(steps).toEqual([1, 2]);

  const cancel = new AbortController();
  const stop = { onprogress: () => cancel.abort('enough'), signal: cancel.signal };
  await expect(sdk.call('slow', { gates: [gates.path('never')] }, stop)).rejects.toThrow('enough');
  await sdk.stderrLine(new RegExp(`slow was cancelled @${version}$`));
}

function programOf(server: ServerName, options: string): string {
  const file = repositoryFile(`fixtures/eras/${server === 'SDK 1' ? 'v1' : 'v2'}.mjs`);
  const legacy = server === 'SDK 2 modern only' ? `{ legacy: 'reject', ...${options} }` : options;
  return [
    `import { serve } from ${JSON.stringify(file)};`,
    `import * as source from './version.mjs';`,
    `await serve(source, ${legacy});`,
    '',
  ].join('\n');
}
