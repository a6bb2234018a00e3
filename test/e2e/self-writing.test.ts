import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { until } from '../kit/wait.ts';
import { Live, SERVE_MJS } from './live.ts';

/** A server that notes in its project, so many ms after its start, which generation it is, and when that was. */
function selfWriting(afterMs: number | 'at once'): string {
  const note = `writeFileSync('state.md', process.env.MCP_DEV_GENERATION + ' ' + process.hrtime.bigint())`;
  return `${SERVE_MJS}
import { writeFileSync } from 'node:fs';
${afterMs === 'at once' ? note : `setTimeout(() => ${note}, ${afterMs})`};
serve('self-writing', { generation: () => process.env.MCP_DEV_GENERATION });
`;
}

test.each([
  { name: 'at once', afterMs: 'at once' as const },
  { name: 'a moment after it was ready', afterMs: 300 },
])('a server that writes a watched file at each start does not go round and round ($name)', async (o) => {
  const live = await Live.connect(
    { 'package.json': '{ "name": "self-writing", "type": "module" }', 'server.mjs': selfWriting(o.afterMs) },
    ['server.mjs'],
  );
  await live.client.stderrLine(/^mcp-dev reloads keep changing state\.md: /);
  // Answered when the round is over in which it was named.
  const generation = Number(await live.call('generation'));
  for (const n of [1, 2, 3]) {
    await until(() => noted(live) === generation + n - 1, 'the newest one has written');
    await live.reload(generation + n, 'a.js', String(n));
  }
  expect(live.triggers.slice(-3)).toEqual(['a.js', 'a.js', 'a.js']);
});

function noted({ project }: Live): number | undefined {
  const file = project.path('state.md');
  return existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : undefined;
}
