import { expect, test } from 'vitest';
import { roundedId, toId } from '../../src/wire/id.ts';

test.each([
  ['0', 0],
  ['7', 7],
  ['999999999', 999_999_999],
  ['1000000000', '1000000000'],
  ['9007199254740993', '9007199254740993'],
  ['-1', '-1'],
  ['-0', 0],
  ['1.0', 1],
  ['1e2', 100],
  ['1.5', '1.5'],
  ['"7"', '"7"'],
  ['"\\u0061"', '"a"'],
  ['""', '""'],
  ['null', undefined],
  ['true', undefined],
  ['{}', undefined],
  ['07', undefined],
  ['', undefined],
])('the id %s is known as %j', (raw, key) => {
  expect(toId(raw)).toBe(key);
});

test('an id above 2^53 comes back rounded from a peer whose numbers are doubles', () => {
  expect(roundedId('9007199254740993')).toBe('9007199254740992');
  expect(roundedId('"9007199254740993"')).toBe('"9007199254740993"');
  expect(roundedId(5)).toBe(5);
});
