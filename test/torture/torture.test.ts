import { expect, test } from 'vitest';
import { repositoryFile } from '../kit/messages.ts';
import { Torture } from './engine.ts';

const seconds = Number(process.env.TORTURE_SECONDS ?? 30);
const seed = Number(process.env.TORTURE_SEED ?? Math.floor(Math.random() * 2 ** 31));

test.each([
  { name: 'broken saves fail at the start', build: false, seconds },
  { name: 'broken saves fail in the build', build: true, seconds: seconds / 3 },
])(
  'fifty requests in flight, a save every moment, crashes, $name: one right answer to each, and nothing is left',
  { timeout: seconds * 1000 + 60_000 },
  async ({ build, seconds }) => {
    console.log(`TORTURE_SEED=${seed}`);
    const verdict = await new Torture({ repository: repositoryFile('.'), seconds, seed, build }).run();
    const { faults, stderr, ...counts } = verdict;
    console.log(JSON.stringify(counts));
    expect(faults, `seed ${seed}\n${stderr.join('\n')}`).toEqual([]);
    expect(counts).toMatchObject({ open: 0, doubled: 0, wrong: 0 });
    // It would prove little if hardly anything had happened.
    expect(counts.reloads).toBeGreaterThanOrEqual(seconds / 2);
    expect(counts.right).toBeGreaterThan(seconds * 20);
  },
);
