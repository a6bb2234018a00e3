import { homedir } from 'node:os';
import { expect, test } from 'vitest';
import { SmokeRun } from '../../src/check/check.ts';
import { resolve } from '../../src/cli/resolve.ts';
import type { RunConfig } from '../../src/config/run-config.ts';
import { repositoryFile } from '../kit/messages.ts';

test('each of several servers is checked, whatever becomes of the others', async () => {
  const servers = [await configOf('broken/tools.mjs'), await configOf('healthy/sdk2-modern.mjs')];
  const seen: string[] = [];
  const options = { expectTool: [], calls: [], era: 'auto', timeout: 20_000, reload: false } as const;
  const run = new SmokeRun(servers, options, '1.2.3', {
    onBegin: () => {},
    onResult: ({ id, status }) => seen.push(`${id} ${status}`),
    onOutput: () => {},
  });
  const report = await run.run();
  expect(report).toMatchObject({ version: 1, mcpDev: '1.2.3', ok: false, counts: { failed: 1 } });
  expect(report.servers.map(({ server, ok }) => [server, ok])).toEqual([
    ['broken/tools.mjs', false],
    ['healthy/sdk2-modern.mjs', true],
  ]);
  const checks = report.servers.flatMap((server) => server.checks);
  expect(seen).toEqual(checks.map(({ id, status }) => `${id} ${status}`));
  const [first, second] = report.servers;
  expect(first?.checks.map(({ id }) => id)).toEqual(second?.checks.map(({ id }) => id));
  expect(report.counts.passed).toBe((first?.counts.passed ?? 0) + (second?.counts.passed ?? 0));
});

async function configOf(file: string): Promise<RunConfig> {
  const host = {
    cwd: repositoryFile(''),
    env: process.env,
    home: homedir(),
    stderrIsTTY: false,
    stdoutIsTTY: false,
  };
  const resolved = await resolve(['check', '--name', file, `fixtures/${file}`], host);
  if (resolved.kind !== 'check') throw new Error(`not a check: ${JSON.stringify(resolved)}`);
  return resolved.config.servers[0] as RunConfig;
}

test('a server that no time is left for does not pass', async () => {
  const servers = [await configOf('healthy/sdk2-modern.mjs'), await configOf('healthy/sdk1.mjs')];
  const options = { expectTool: [], calls: [], era: 'auto', timeout: 0, reload: true } as const;
  const ports = { onBegin: () => {}, onResult: () => {}, onOutput: () => {} };
  const report = await new SmokeRun(servers, options, '1.2.3', ports).run();
  expect(report).toMatchObject({ ok: false, counts: { passed: 0, failed: 2 } });
  for (const { ok, checks } of report.servers) {
    expect(ok).toBe(false);
    expect(checks.filter(({ status }) => status === 'failed')).toEqual([
      expect.objectContaining({ id: 'start', message: expect.stringMatching(/ 0 ms .*--timeout/) }),
    ]);
  }
});
