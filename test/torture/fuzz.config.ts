import { defineConfig } from 'vitest/config';

/** The simulation of test/reload with many more runs: as many as RUNS says. */
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/reload/simulation.test.ts'],
    setupFiles: ['test/torture/fuzz.setup.ts'],
    env: { RUNS: process.env.RUNS ?? '200000' },
    testTimeout: 24 * 3600 * 1000,
  },
});
