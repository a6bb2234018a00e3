import fc from 'fast-check';
import { expect, test } from 'vitest';
import { elements, isDeeperThan } from '../../src/wire/scan.ts';

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

test('how deep a text is nested is what parsing it says, whatever its strings look like', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.nat(8), (value, limit) => {
      expect(isDeeperThan(Buffer.from(JSON.stringify(value)), limit)).toBe(depthOf(value) > limit);
    }),
  );
  expect(isDeeperThan(Buffer.from('["[[[[\\"[[["]'), 1)).toBe(false);
});

test('an array with more elements than are wanted has none', () => {
  const text = Buffer.from('[1, [2,3], {"a":4}]');
  expect(elements(text, 0, text.length, 3)).toHaveLength(3);
  expect(elements(text, 0, text.length, 2)).toBeUndefined();
});
