/**
 * What it costs to speak through mcp-dev, as ratios to what was measured beside it in the same run.
 *
 *     npm run bench [-- <file for the results, as JSON>]
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { firstByte, longLine, pipelined, sequential } from './cases.mjs';
import { prepareSubjects } from './subjects.mjs';

const MB = 1_000_000;
const MESSAGES = 100_000;

const file = process.argv[2] ?? fileURLToPath(new URL('results.json', import.meta.url));
const subjects = prepareSubjects();
process.on('exit', subjects.remove);

const measured = {
  pipelined: await pipelined(subjects, { messages: MESSAGES, rounds: 9 }),
  sequential: await sequential(subjects, { messages: 1000, rounds: 5 }),
  line10: await longLine(subjects, { bytes: 10 * MB, rounds: 5 }),
  line50: await longLine(subjects, { bytes: 50 * MB, rounds: 5 }),
  firstByte: await firstByte(subjects, { rounds: 15 }),
};

/** `value` is the ratio, and `goal` the most it should be. */
const rows = [
  ...compare('100,000 pipelined, 200 B', measured.pipelined, 'ms', { pipe: 2 }),
  row('CPU of a round trip, µs', measured.pipelined.mcpDev.cpuMicros, 1),
  row('… more than the bare pipe, µs', added(measured.pipelined, 'cpuMicros')),
  ...compare('one after the other, 200 B', measured.sequential, 'micros', {}),
  ...compare('one line of 10 MB', measured.line10, 'ms', {}),
  row('… memory, lines', measured.line10.mcpDev.grown, 2),
  ...compare('one line of 50 MB', measured.line50, 'ms', {}),
  row('… memory, lines', measured.line50.mcpDev.grown, 2),
  row('start to first byte, / bare node', over(measured.firstByte, 'node', 'ms'), 1.25),
  row('start to first byte, / bare pipe', over(measured.firstByte, 'pipe', 'ms')),
];

const machine = {
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  platform: `${process.platform} ${process.arch}`,
  node: process.version,
  server: subjects.kind,
};
console.log(`${machine.cpu}, ${machine.cores} cores, node ${machine.node}; server in ${machine.server}\n`);
for (const { what, value, goal } of rows) {
  const verdict = goal === undefined ? '' : `goal ≤ ${goal}${value <= goal ? '' : '  MISSED'}`;
  console.log(`${what.padEnd(44)}${value.toFixed(2).padStart(8)}   ${verdict}`.trimEnd());
}
writeFileSync(file, `${JSON.stringify({ machine, measured }, null, 2)}\n`);

function row(what, value, goal) {
  return { what, value, goal };
}

function over(result, other, key) {
  return result.mcpDev[key] / result[other][key];
}

function added(result, key) {
  return result.mcpDev[key] - result.pipe[key];
}

function compare(what, result, key, goals) {
  return ['direct', 'pipe'].map((other) => {
    const name = other === 'pipe' ? 'bare pipe' : other;
    return row(`${what}, / ${name}`, over(result, other, key), goals[other]);
  });
}
