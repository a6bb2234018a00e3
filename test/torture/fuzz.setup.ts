import fc from 'fast-check';

// A failure prints its seed and path: FUZZ_SEED and FUZZ_PATH run it again, and only it.
const { FUZZ_SEED, FUZZ_PATH } = process.env;
fc.configureGlobal({
  ...(FUZZ_SEED === undefined ? {} : { seed: Number(FUZZ_SEED) }),
  ...(FUZZ_PATH === undefined ? {} : { path: FUZZ_PATH, endOnFailure: true }),
});
