import fc from 'fast-check';
import { expect, test } from 'vitest';
import { editAt, splice, textAt, withId } from '../../src/wire/edit.ts';
import { Line } from '../../src/wire/line.ts';

test('an edit leaves every other byte as it is', () => {
  const line = Line.of(
    '{ "jsonrpc":"2.0", "id" : 1e2,"x":1.50,"x":2,"params":{"_meta":{"progressToken":"ü"}}}',
  );
  const edit = editAt(line, ['params', '_meta', 'progressToken'], '"new"');
  expect(withId(line, '"z"', edit!).text()).toBe(
    '{ "jsonrpc":"2.0", "id" : "z","x":1.50,"x":2,"params":{"_meta":{"progressToken":"new"}}}',
  );
});

test('what is found at a path is what parsing finds there', () => {
  const key = fc.constantFrom('params', '_meta', 'a', 'b"', 'ü');
  fc.assert(
    fc.property(fc.dictionary(key, fc.dictionary(key, fc.jsonValue())), key, key, (value, outer, inner) => {
      const text = textAt(Line.json(value), [outer, inner]);
      const plain = /^[\w]+$/.test(outer + inner);
      const expected = plain ? value[outer]?.[inner] : undefined;
      expect(text === undefined ? undefined : JSON.parse(text)).toEqual(
        expected === undefined ? undefined : JSON.parse(JSON.stringify(expected)),
      );
    }),
  );
});

test('nothing is found in what is no object', () => {
  expect(textAt(Line.of('[1]'), ['id'])).toBeUndefined();
  expect(textAt(Line.of('{"params":3}'), ['params', 'a'])).toBeUndefined();
  expect(textAt(Line.of('{"params":{"a":'), ['params', 'a'])).toBeUndefined();
});

test('several edits are applied whatever their order', () => {
  const line = Line.of('0123456789');
  const edits = [
    { start: 8, end: 9, text: 'B' },
    { start: 1, end: 3, text: 'a' },
  ];
  expect(splice(line, edits).text()).toBe('0a34567B9');
});
