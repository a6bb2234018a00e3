import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Line, LineSplitter } from '../../src/wire/line.ts';

function split(chunks: readonly Buffer[], limit?: number): { lines: string[]; dropped: number[] } {
  const lines: string[] = [];
  const dropped: number[] = [];
  const sink = {
    line: (line: Line) => lines.push(line.text()),
    overflow: (bytes: number) => dropped.push(bytes),
  };
  const splitter = new LineSplitter(sink, limit);
  for (const chunk of chunks) splitter.push(chunk);
  return { lines, dropped };
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((start, index) => bytes.subarray(start, at[index] ?? bytes.length));
}

test('lines are whole however the bytes were cut, multi-byte characters included', () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', ''));
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat()), (texts, places) => {
      const bytes = Buffer.from(texts.map((text) => `${text}\n`).join(''));
      expect(split(cut(bytes, places)).lines).toEqual(texts);
    }),
  );
});

test('the half line of a dying writer is not a line', () => {
  expect(split([Buffer.from('one\ntw'), Buffer.from('o')])).toEqual({ lines: ['one'], dropped: [] });
});

test('a line over the limit is dropped and counted, and the next one is whole', () => {
  const { lines, dropped } = split([Buffer.from('aaaa'), Buffer.from('aaaa'), Buffer.from('aa\nok\n')], 5);
  expect(dropped).toEqual([10]);
  expect(lines).toEqual(['ok']);
});

test('a line in several chunks is not copied before somebody looks at it', () => {
  const lines: Line[] = [];
  const splitter = new LineSplitter({ line: (line) => lines.push(line), overflow: () => {} });
  const [first, second] = [Buffer.from('x{"a"'), Buffer.from(':1}\nrest')];
  splitter.push(first);
  splitter.push(second);
  const [line] = lines;
  expect(line?.parts().map((part) => part.buffer)).toEqual([first.buffer, second.buffer]);
  expect(line?.length).toBe(8);
  expect(line?.text()).toBe('x{"a":1}');
});
