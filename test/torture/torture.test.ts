import { expect, test } from 'vitest';
import { repositoryFile } from '../kit/messages.ts';
import { Torture } from './engine.ts';

const seconds = Number(process.env.TORTURE_SECONDS ?? 30);
const seed = Number(process.env.TORTURE_SEED ?? Math.floor(Math.random() * 2 ** 31));

test.each([
  { name: 'broken saves fail at the start', build: false, standby: 'off', pace: 'storm', seconds },
  {
    name: 'broken saves fail in the build',
    build: true,
    standby: 'safe',
    pace: 'storm',
    seconds: seconds / 3,
  },
  { name: 'now and then a standby takes over', build: false, standby: 'safe', pace: 'slow', seconds },
] as const)(
  'fifty requests in flight, a save every moment, crashes, $name: one right answer to each, and nothing is left',
  { timeout: seconds * 1000 + 60_000 },
  async ({ build, standby, pace, seconds }) => {
    console.log(`TORTURE_SEED=${seed}`);
    const verdict = await new Torture({
      repository: repositoryFile('.'),
      seconds,
      seed,
      build,
      standby,
      pace,
    }).run();
    const { faults, stderr, ...counts } = verdict;
    console.log(JSON.stringify(counts));
    expect(faults, `seed ${seed}\n${stderr.join('\n')}`).toEqual([]);
    expect(counts).toMatchObject({ open: 0, doubled: 0, wrong: 0 });
    // It would prove little if hardly anything had happened.
    expect(counts.reloads).toBeGreaterThanOrEqual(pace === 'storm' ? seconds / 2 : seconds / 10);
    if (standby === 'off') expect(counts.standbys).toBe(0);
    if (pace === 'slow') expect(counts.standbys).toBeGreaterThanOrEqual(1);
    expect(counts.right).toBeGreaterThan(seconds * 20);
  },
);
