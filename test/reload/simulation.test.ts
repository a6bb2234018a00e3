import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Simulation, type Step } from './simulation.ts';

const which = fc.nat(20);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ step: fc.constant('request'), method: which }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('cancel'), which }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('reply'), which }) },
  { weight: 4, arbitrary: fc.record({ step: fc.constant('save') }) },
  { weight: 4, arbitrary: fc.record({ step: fc.constant('gathered') }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('reload') }) },
  { weight: 6, arbitrary: fc.record({ step: fc.constant('build-ends'), works: fc.boolean() }) },
  { weight: 20, arbitrary: fc.record({ step: fc.constant('serve'), server: which }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('crash'), server: which }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('cut-off'), server: which }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('ask'), server: which }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('announce'), server: which }) },
  { weight: 3, arbitrary: fc.record({ step: fc.constant('exit'), server: which }) },
  {
    weight: 4,
    arbitrary: fc.record({ step: fc.constant('wait'), ms: fc.constantFrom(1, 60, 600, 2500, 9000) }),
  },
) as fc.Arbitrary<Step>;

test('whatever happens in whatever order, each request gets one answer, from a generation that may give it', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 120 }), fc.boolean(), (steps, exclusive) => {
      const simulation = new Simulation(exclusive);
      for (const next of steps) simulation.take(next);
      simulation.settle();
      for (const event of simulation.reports) seen.add(event);
    }),
    { numRuns: Number(process.env.RUNS ?? 3000) },
  );
  // The runs would prove little if nothing ever came up, failed or crashed.
  expect([...seen].sort()).toEqual(['crashed', 'failed', 'ready']);
});
