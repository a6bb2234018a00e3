/**
 * What it costs to work through mcp-dev, as ratios to what was measured beside it in the same run.
 *
 *     npm run bench [-- [--quick] [--output <file for the results, as JSON>] [group…]]
 *
 * Groups: data, start, swaps, echo, trees; all of them without a name. `--quick` measures less often, and in smaller
 * trees: to see that it works, and what is far off.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { firstByte, longLine, pipelined, sequential } from './cases.mjs';
import { serverKinds } from './projects.mjs';
import { rowsOf } from './rows.mjs';
import { prepareSubjects } from './subjects.mjs';
import { echoes, hasStandby, swaps } from './swaps.mjs';
import { trees } from './trees.mjs';

const MB = 1_000_000;
const MESSAGES = 100_000;
/** The kinds of servers that a client echoes through. */
const ECHOED = new Set(['v1, node', 'v2, node']);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, output: { type: 'string' } },
});
const { quick } = values;
const rounds = (many, few) => (quick ? few : many);

const subjects = prepareSubjects();
process.on('exit', subjects.remove);
const { folder, env } = subjects;
const standbys = hasStandby() ? ['off', 'safe'] : ['off'];

const groups = {
  data: async () => ({
    pipelined: await pipelined(subjects, { messages: MESSAGES, rounds: rounds(9, 3) }),
    sequential: await sequential(subjects, { messages: 1000, rounds: rounds(5, 2) }),
    line10: await longLine(subjects, { bytes: 10 * MB, rounds: rounds(5, 1) }),
    line50: await longLine(subjects, { bytes: 50 * MB, rounds: rounds(5, 1) }),
  }),
  start: async () => await firstByte(subjects, { rounds: rounds(25, 5) }),
  swaps: async () => {
    const kinds = serverKinds();
    return await swaps(kinds, { folder, env, rounds: rounds(9, 3), standbys });
  },
  echo: async () => {
    const kinds = serverKinds().filter(({ name }) => ECHOED.has(name));
    return await echoes(kinds, { folder, env, rounds: rounds(7, 2), standbys });
  },
  trees: async () => {
    const size = quick ? { files: 2000, ignored: 5000 } : { files: 20_000, ignored: 50_000 };
    return { ...size, runners: await trees({ folder, env, rounds: rounds(3, 1), ...size }) };
  },
};

const unknown = positionals.filter((name) => !(name in groups));
if (unknown.length > 0) {
  console.error(`no group is called ${unknown.join(', ')}; there are ${Object.keys(groups).join(', ')}`);
  process.exit(2);
}

const measured = {};
for (const name of Object.keys(groups)) {
  if (positionals.length === 0 || positionals.includes(name)) measured[name] = await groups[name]();
}

const machine = {
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  platform: `${process.platform} ${process.arch}`,
  node: process.version,
  server: subjects.kind,
};
const date = new Date().toISOString().slice(0, 10);
const rows = rowsOf(measured);

console.log(`${date}, ${machine.cpu}, ${machine.cores} cores, node ${machine.node}`);
let group;
for (const row of rows) {
  if (row.group !== group) console.log(`\n${row.group}`);
  group = row.group;
  console.log(`  ${row.what.padEnd(66)}${verdictOn(row)}`.trimEnd());
}
const file = values.output ?? fileURLToPath(new URL('results.json', import.meta.url));
writeFileSync(file, `${JSON.stringify({ date, quick, machine, rows, measured }, null, 2)}\n`);

function verdictOn({ value, goal, skipped }) {
  if (skipped !== undefined) return `skipped: ${skipped}`;
  const shown = value.toFixed(value < 100 ? 2 : 0).padStart(8);
  if (goal === undefined) return shown;
  return `${shown}   goal ≤ ${goal}${value <= goal ? '' : '  MISSED'}`;
}
