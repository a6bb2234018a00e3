import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Circumstances, Simulation, type Step } from './simulation.ts';
import type { Era } from './simulation-server.ts';

const which = fc.nat(20);
const works = fc.nat(3).map((one) => one > 0);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ step: fc.constant('request'), method: which }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('cancel'), which, bare: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('page'), which }) },
  {
    weight: 2,
    arbitrary: fc.record({
      step: fc.constant('batch'),
      methods: fc.array(which, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ step: fc.constant('progress'), server: which, which }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('reply'), which, dies: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ step: fc.constant('save'), speaks: which }) },
  { weight: 4, arbitrary: fc.record({ step: fc.constant('gathered') }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('reload') }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('executed'), which }) },
  { weight: 6, arbitrary: fc.record({ step: fc.constant('build-ends'), works }) },
  { weight: 4, arbitrary: fc.record({ step: fc.constant('replace'), speaks: which }) },
  { weight: 20, arbitrary: fc.record({ step: fc.constant('serve'), server: which }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('crash'), server: which }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('cut-off'), server: which }) },
  { weight: 3, arbitrary: fc.record({ step: fc.constant('ask'), server: which, dies: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('announce'), server: which }) },
  { weight: 3, arbitrary: fc.record({ step: fc.constant('exit'), server: which }) },
  {
    weight: 4,
    arbitrary: fc.record({ step: fc.constant('wait'), ms: fc.constantFrom(1, 60, 600, 2500, 9000) }),
  },
  { weight: 3, arbitrary: fc.record({ step: fc.constant('listen'), asks: fc.nat(15) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      step: fc.constant('unlisten'),
      which,
      bare: fc.boolean(),
      late: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      step: fc.constant('end-parts'),
      server: which,
      how: fc.constantFrom('result', 'cancelled'),
    }),
  },
) as fc.Arbitrary<Step>;
const begins = fc.record({ batches: fc.boolean(), probes: fc.boolean(), late: fc.boolean() });
const circumstances = (era: Era): fc.Arbitrary<Circumstances> =>
  fc.record({
    era: fc.constant(era),
    speaks: which,
    exclusive: fc.nat(3).map((one) => one === 0),
    ours: fc.constantFrom('none', 'offered', 'taken'),
    leaves: fc.nat(7).map((one) => one === 0),
    begins,
  });

/** The runs would prove little if some of this never happened. */
const SEEN = {
  legacy: [
    'ready',
    'failed',
    'crashed',
    'notifications/tools/list_changed',
    'notifications/progress',
    'elicitation/create',
    'batch',
    'executed',
  ],
  modern: [
    'ready',
    'failed',
    'crashed',
    'notifications/subscriptions/acknowledged',
    'notifications/tools/list_changed',
    'notifications/prompts/list_changed',
    'notifications/resources/updated',
    'complete',
    'input_required',
    'executed',
  ],
};

test.each(['legacy', 'modern'] as const)(
  'whatever happens in whatever order, each request gets one answer, from a generation that may give it (%s)',
  (era) => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 200, size: 'max' }),
        circumstances(era),
        (steps, about) => {
          const simulation = new Simulation(about);
          for (const next of steps) simulation.take(next);
          if (about.leaves) simulation.leave();
          else simulation.settle();
          for (const one of simulation.seen) seen.add(one);
        },
      ),
      { numRuns: Number(process.env.RUNS ?? 3000) },
    );
    expect([...seen]).toEqual(expect.arrayContaining(SEEN[era]));
  },
);
