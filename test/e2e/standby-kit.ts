import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { until } from '../kit/wait.ts';
import { type Files, type Live, SERVE_MJS } from './live.ts';

/** A package that is loaded early: it tells which version of its own text it has. */
export function packageText(version: string, more = ''): string {
  return `${more}\nexport const version = '${version}';\n`;
}

/** A server with one package. Each time it is loaded it adds its process to `loads.txt`. */
export const WITH_PACKAGE: Files = {
  'package.json': '{ "name": "plain", "type": "module" }',
  'serve.mjs': SERVE_MJS,
  'server.mjs': serverText('one'),
  'node_modules/zod/package.json': '{ "name": "zod", "type": "module", "exports": "./index.js" }',
  'node_modules/zod/index.js': packageText('zod1'),
};

/** `server.mjs` of `WITH_PACKAGE` with this version; `more` is put before all else. */
export function serverText(version: string, more = ''): string {
  return `
import { appendFileSync } from 'node:fs';
import { serve } from './serve.mjs';
import * as zod from 'zod';
${more}
appendFileSync('loads.txt', process.pid + '\\n');
serve('plain', {
  version: () => '${version}',
  package: () => zod.version,
  variable: ({ name }) => process.env[name],
});
`;
}

/** Where `mcp-dev` and the processes of its server meet; undefined when there is no such folder. */
export function placeOf(live: Live): string | undefined {
  const folder = `/tmp/mcp-dev-${process.getuid?.()}`;
  const name = readdirSync(folder).find((each) => each.startsWith(`standby-${live.client.pid}-`));
  return name && join(folder, name);
}

/** Waits until a standby waits for its turn, and answers which process it is. */
export function standbyOf(live: Live): Promise<number> {
  return until(() => {
    const place = placeOf(live);
    if (place === undefined) return undefined;
    const ready = readdirSync(place)
      .map((name) => join(place, name, 'ready.json'))
      .find((path) => existsSync(path));
    return ready === undefined ? undefined : (JSON.parse(readFileSync(ready, 'utf8')).pid as number);
  }, 'a standby waits');
}

/** The standby that became the generation, if that took one; to be asked when it has taken over. */
export function standbyUsed(live: Live, generation: number): number | undefined {
  const line = new RegExp(`^mcp-dev generation ${generation} is the standby, process (\\d+)$`);
  const pids = live.client.stderr.all.flatMap((text) => line.exec(text)?.[1] ?? []);
  return pids.length === 0 ? undefined : Number(pids[0]);
}

/** Why there is no standby, as soon as that is said. */
export function noStandby(live: Live): Promise<string> {
  return live.client.stderrLine(/^mcp-dev there is no standby: /);
}

/** Which processes have loaded the program, in order. */
export function loads(live: Live): number[] {
  return readFileSync(live.project.path('loads.txt'), 'utf8').trim().split('\n').map(Number);
}

/** Two swaps, each by the process that waited, which had run nothing of the program before. */
export async function expectTurns(
  live: Live,
  program: string,
  textOf: (version: string) => string,
): Promise<void> {
  for (const generation of [2, 3]) {
    const pid = await standbyOf(live);
    expect(loads(live)).not.toContain(pid);
    await live.reload(generation, program, textOf(`version ${generation}`));
    expect(standbyUsed(live, generation)).toBe(pid);
    expect(loads(live).at(-1)).toBe(pid);
    expect(await live.call()).toBe(`version ${generation}`);
    expect(await live.call('variable', { name: 'MCP_DEV_GENERATION' })).toBe(String(generation));
  }
  expect(loads(live)).toHaveLength(3);
}
