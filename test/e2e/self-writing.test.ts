import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { until } from '../kit/wait.ts';
import { Live, SERVE_MJS } from './live.ts';

/** When a server writes, and how many generations the last one to have written is behind the newest. */
const WAYS = [
  { name: 'at once', statement: 'note()', behind: 0 },
  { name: 'a moment after it was ready', statement: 'setTimeout(note, 300)', behind: 0 },
  { name: 'when it ends', statement: "process.stdin.on('end', note)", behind: 1 },
];

/** A server that notes in its project which generation it is, and when that was. */
function selfWriting(statement: string): string {
  const note = `writeFileSync('state.md', process.env.MCP_DEV_GENERATION + ' ' + process.hrtime.bigint())`;
  return `${SERVE_MJS}
import { writeFileSync } from 'node:fs';
const note = () => ${note};
${statement};
serve('self-writing', { generation: () => process.env.MCP_DEV_GENERATION });
`;
}

// A server that writes at its end does so two seconds after each hand-over.
test.each(WAYS)(
  'a server that writes a watched file does not go round and round: $name',
  async (way) => {
    const { statement, behind } = way;
    const live = await Live.connect(
      {
        'package.json': '{ "name": "self-writing", "type": "module" }',
        'server.mjs': selfWriting(statement),
      },
      ['server.mjs'],
    );
    live.project.write('a.js', '0');
    await live.tookOver(4);
    await live.client.stderrLine(/^mcp-dev reloads keep changing state\.md: /);
    // Answered when the round is over in which it was named.
    const generation = Number(await live.call('generation'));
    for (const n of [1, 2, 3]) {
      await until(() => noted(live) === generation + n - 1 - behind, 'it is written');
      await live.reload(generation + n, 'a.js', String(n));
    }
    expect(live.triggers.slice(-3)).toEqual(['a.js', 'a.js', 'a.js']);
  },
  60_000,
);

function noted({ project }: Live): number | undefined {
  const file = project.path('state.md');
  return existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : undefined;
}
