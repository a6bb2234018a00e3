import { build } from 'esbuild';
import { beforeAll, expect, test } from 'vitest';
import { repositoryFile } from '../kit/messages.ts';
import { CLIENTS, eraProject, PAIRS, SUBSCRIBED, useStateless } from './eras.ts';
import { directly, type OfficialClient } from './official-client.ts';

const PROGRAM = repositoryFile('node_modules/.cache/mcp-dev/every-request.mjs');

beforeAll(async () => {
  await build({
    entryPoints: [repositoryFile('test/kit/every-request.ts')],
    outfile: PROGRAM,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    logLevel: 'warning',
  });
});

// What a test uses here twice in a row is used in two processes. So the tool `grow` is left out, which changes the one
// process that it runs in, and each hand-over tells of a change of its own.
test.each(PAIRS)(
  'a reload before every request: client %s, server %s, and all of it works (%s)',
  async (name, server, era) => {
    const project = eraProject(server, '{ key: process.env.MCP_DEV_SECRET }');
    const sdk = await CLIENTS[name](directly(project, [PROGRAM, '--', 'node', 'server.mjs']));
    expect(sdk.era).toBe(era);
    await sdk.subscribe(SUBSCRIBED);
    await useStateless(sdk, { version: 'one' });
    const [sent, served] = [requestsOf(sdk), generationsOf(sdk)];
    expect(sent).toBeGreaterThanOrEqual(15);
    expect(served).toBe(sent);
    expect(sdk.errors).toEqual([]);
  },
);

function requestsOf({ stderr }: OfficialClient): number {
  return stderr.all.filter((line) => /^request \d+$/.test(line)).length;
}

function generationsOf({ stderr }: OfficialClient): number {
  return stderr.all.filter((line) => /^mcp-dev generation \d+ (started|took over) /.test(line)).length;
}
