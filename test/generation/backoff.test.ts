import { expect, test } from 'vitest';
import { CrashBackoff, retryDelay } from '../../src/generation/backoff.ts';

const retry = (afterMs: number) => ({ kind: 'retry', afterMs });
const wait = { kind: 'wait-for-change' };

test('the delay doubles from half a second to thirty seconds', () => {
  expect([1, 2, 3, 4, 5, 6, 7, 8, 100].map(retryDelay)).toEqual([
    500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000,
  ]);
});

test('the fifth crash in a row waits for a change, and so does each one after it', () => {
  const backoff = new CrashBackoff();
  const answers = Array.from({ length: 6 }, () => backoff.crashed(9_999));
  expect(answers).toEqual([retry(500), retry(1000), retry(2000), retry(4000), wait, wait]);
});

test('a life of ten seconds starts again at once and ends the row', () => {
  const backoff = new CrashBackoff();
  for (let crash = 0; crash < 4; crash += 1) backoff.crashed(0);
  expect(backoff.crashed(10_000)).toEqual(retry(0));
  expect(backoff.crashed(0)).toEqual(retry(500));
});

test('a change ends the waiting and the count', () => {
  const backoff = new CrashBackoff();
  for (let crash = 0; crash < 5; crash += 1) backoff.crashed(0);
  backoff.reset();
  expect(backoff.crashed(0)).toEqual(retry(500));
});
