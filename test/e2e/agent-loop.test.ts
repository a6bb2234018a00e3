import { expect, test } from 'vitest';
import { repositoryFile, textOf } from '../kit/messages.ts';
import { type TempProject, tempProject } from '../kit/temp-project.ts';
import { CLIENTS, type ClientName, OWN_TOOLS, type ServerName } from './eras.ts';
import { type OfficialClient, throughMcpDev } from './official-client.ts';

/** A TypeScript program with one tool more for each name; as an agent would have it open. */
function sourceText(names: string): string {
  return `export const version: string = 'agent';\nexport const more: readonly string[] = [${names}];\n`;
}

function agentProject(server: ServerName): TempProject {
  const serve = repositoryFile(`fixtures/eras/${server === 'SDK 1' ? 'v1' : 'v2'}.mjs`);
  return tempProject({
    'package.json': '{ "name": "agent-project", "type": "module" }',
    'server.ts': `import { serve } from ${JSON.stringify(serve)};\nimport * as source from './source.ts';\nawait serve(source);\n`,
    'source.ts': sourceText(''),
  });
}

test.each([
  ['SDK 1', 'SDK 1', 'legacy'],
  ['SDK 2 auto', 'SDK 2', 'modern'],
] satisfies [ClientName, ServerName, string][])(
  'an agent adds a tool, breaks the build, reads why, mends it and calls the tool: %s',
  async (client, server, era) => {
    const project = agentProject(server);
    const sdk: OfficialClient = await CLIENTS[client](throughMcpDev(project, ['server.ts']));
    expect(sdk.era).toBe(era);
    // The only time that this client reads the list.
    expect(await sdk.tools()).toEqual(OWN_TOOLS);
    const { pid } = sdk;

    // It adds a tool, and forgets a quote.
    project.write('source.ts', sourceText(`'forecast`));
    const broken = await sdk.result('mcp_dev_reload', { reason: 'added forecast' });
    expect(broken).toMatchObject({ isError: true, structuredContent: { ok: false, generation: 1 } });
    expect(textOf(broken)).toMatch(/the build failed[\s\S]*Unterminated string[\s\S]*source\.ts:2:\d+/);

    // What worked still works, and is marked as old.
    const old = await sdk.result('echo', { text: 'still here' });
    expect(textOf(old)).toBe('still here @agent');
    expect(old).toMatchObject({ _meta: { 'mcp-dev': { stale: true, reason: 'build_failed' } } });
    expect(textOf(await sdk.result('mcp_dev_status'))).toMatch(/is stale[\s\S]*Unterminated string/);
    expect(textOf(await sdk.result('mcp_dev_call', { tool: 'forecast' }))).toMatch(
      /no tool "forecast" .* the build failed/,
    );

    // It mends that.
    project.write('source.ts', sourceText(`'forecast'`));
    const mended = await sdk.result('mcp_dev_reload');
    expect(mended).toMatchObject({
      structuredContent: { ok: true, state: 'serving', removed: [], changed: [] },
    });
    expect(mended.structuredContent?.added).toContain('tool forecast');
    expect(textOf(mended)).toContain('+tool forecast');

    // It calls the tool, which is not in the list that it has.
    const called = await sdk.result('mcp_dev_call', { tool: 'forecast' });
    expect(textOf(called)).toBe('forecast @agent');
    expect(called).not.toHaveProperty(['_meta', 'mcp-dev']);
    expect(textOf(await sdk.result('mcp_dev_logs', { source: 'build' }))).toContain('Unterminated string');
    // All of that was one session.
    expect(sdk.pid).toBe(pid);
    expect(sdk.errors).toEqual([]);
  },
);
