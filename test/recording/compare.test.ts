import { describe, expect, test } from 'vitest';
import { firstDifference, pathMatcher } from '../../src/recording/compare.ts';

const strict = { ignoreTimes: false, isIgnored: () => false, onOpaque: () => {} };

/** The path of the first difference, as text. */
function differ(expected: unknown, got: unknown, rules: object = {}): string | undefined {
  return firstDifference(expected, got, { ...strict, ...rules })?.path.join('.');
}

describe('what is equal', () => {
  test.each([
    [
      { a: 1, b: [1, { c: null }] },
      { b: [1, { c: null }], a: 1 },
    ],
    [{ _meta: { a: 1 }, x: { _meta: 1 } }, { x: {} }],
    [
      { result: { tools: [{ name: 'a' }, { name: 'b' }] } },
      { result: { tools: [{ name: 'b' }, { name: 'a' }] } },
    ],
    [{ result: { nextCursor: 'abc' } }, { result: { nextCursor: 'xyz' } }],
  ])('%j and %j', (expected, got) => {
    expect(differ(expected, got)).toBeUndefined();
  });
});

describe('what differs, and where first', () => {
  test.each([
    [{ a: 1 }, { a: '1' }, 'a'],
    [{ a: [1, 2] }, { a: [1] }, 'a.1'],
    [{ a: {} }, { a: [] }, 'a'],
    [{ a: null }, {}, 'a'],
    [{}, { a: undefined, b: 1 }, 'a'],
    [
      { result: { tools: [{ name: 'a', x: 1 }] } },
      { result: { tools: [{ name: 'n' }, { name: 'a', x: 2 }] } },
      'result.tools.a.x',
    ],
    [{ result: { tools: [{ name: 'a' }] } }, { result: { tools: [] } }, 'result.tools.a'],
    // Names that do not tell items apart: by position.
    [
      { result: { tools: [{ name: 'a' }, { name: 'a', x: 1 }] } },
      { result: { tools: [{ name: 'a' }, { name: 'a', x: 2 }] } },
      'result.tools.1.x',
    ],
    // The order of other lists means something.
    [
      { result: { content: [{ name: 'a' }, { name: 'b' }] } },
      { result: { content: [{ name: 'b' }, { name: 'a' }] } },
      'result.content.0.name',
    ],
    [{ result: { nextCursor: 'abc' } }, { result: {} }, 'result.nextCursor'],
    [{ constructor: 1 }, {}, 'constructor'],
  ])('%j and %j: %s', (expected, got, path) => {
    expect(differ(expected, got)).toBe(path);
  });
});

test('times are equal when they are to be ignored, and only times', () => {
  const rules = { ignoreTimes: true };
  const [then, now] = ['2026-01-02T03:04:05.678Z', '2026-11-12 13:14:15+01:00'];
  expect(differ({ at: `it is ${then}.` }, { at: `it is ${now}.` }, rules)).toBeUndefined();
  expect(differ({ at: 1_767_323_045 }, { at: 1_794_485_655 }, rules)).toBeUndefined();
  expect(differ({ at: 1_767_323_045_678 }, { at: 1_794_485_655_000.5 }, rules)).toBeUndefined();
  expect(differ({ at: `it is ${then}` }, { at: `it was ${now}` }, rules)).toBe('at');
  expect(differ({ at: 1_767_323_045 }, { at: 1_794_485_655_000 }, rules)).toBe('at');
  expect(differ({ at: 5 }, { at: 6 }, rules)).toBe('at');
  expect(differ({ at: then }, { at: now })).toBe('at');
});

test('cursors and the like are told, so that they can be given back', () => {
  const told: string[][] = [];
  const onOpaque = (...pair: string[]) => told.push(pair);
  const task = (taskId: string) => ({ result: { task: { taskId } } });
  expect(differ(task('one'), task('two'), { onOpaque })).toBeUndefined();
  expect(told).toEqual([['one', 'two']]);
});

test.each([
  ['result.serverInfo.version', 'result.serverInfo.version', true],
  ['result.serverInfo', 'result.serverInfo.version', false],
  ['result.tools.*.description', 'result.tools.add.description', true],
  ['result.tools.*.description', 'result.tools.add.inputSchema.description', false],
  ['**.description', 'result.tools.add.inputSchema.description', true],
  ['**.description', 'description', true],
  ['result.**', 'result.a.b', true],
  ['result.content[0].text', 'result.content.0.text', true],
  ['**.a.**.b', 'x.a.y.z.b', true],
  ['**.a.**.b', 'x.y.z.b', false],
  ['error', 'errors', false],
])('--ignore %s and %s: %s', (pattern, path, expected) => {
  expect(pathMatcher([pattern])(path.split('.'))).toBe(expected);
});

test('what is ignored may also be absent', () => {
  const isIgnored = pathMatcher(['**.size']);
  expect(differ({ a: { size: 1 } }, { a: {} }, { isIgnored })).toBeUndefined();
});
