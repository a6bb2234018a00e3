import { parseArgs } from 'node:util';
import { Torture } from './engine.ts';

const PRINT_EVERY_MS = 10_000;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string' },
    build: { type: 'boolean' },
    slow: { type: 'boolean' },
    standby: { type: 'string', default: 'safe' },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const torture = new Torture({
  repository: process.cwd(),
  seconds: Number(values.minutes) * 60,
  seed,
  build: values.build === true,
  standby: values.standby === 'off' ? 'off' : 'safe',
  pace: values.slow === true ? 'slow' : 'storm',
});

console.log(`soak for ${values.minutes} min, seed ${seed}`);
const started = performance.now();
const timer = setInterval(print, PRINT_EVERY_MS);
const { faults, stderr } = await torture.run();
clearInterval(timer);
print();
if (faults.length > 0) console.log([...stderr, ...faults].join('\n'));
console.log(faults.length === 0 ? 'everything held' : `${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;

function print(): void {
  const { residentMb, processes, reloads, standbys, saves, broken, crashes, sent, right, stale, ...rest } =
    torture.progress;
  const { failed, open, doubled, wrong } = rest;
  const seconds = Math.round((performance.now() - started) / 1000);
  const failures = Object.entries(failed).map(([reason, count]) => `${reason} ${count}`);
  console.log(
    `${seconds} s: ${residentMb} MB, ${processes} processes; ${reloads} reloads of ${saves} saves, ${standbys} by a standby, ${broken} broken,` +
      ` ${crashes} crashes; ${sent} sent, ${right} right (${stale} stale), failed: ${failures.join(', ') || 'none'};` +
      ` ${open} open, ${doubled} doubled, ${wrong} wrong`,
  );
}
