import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Line, LineSplitter } from '../../src/wire/line.ts';

function split(chunks: readonly Buffer[], limit?: number): { lines: string[]; overflows: number[] } {
  const lines: string[] = [];
  const overflows: number[] = [];
  const sink = {
    line: (line: Line) => lines.push(line.text()),
    overflow: (bytes: number) => overflows.push(bytes),
  };
  const splitter = new LineSplitter(sink, limit);
  for (const chunk of chunks) splitter.push(chunk);
  return { lines, overflows };
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
  expect(split([Buffer.from('one\ntw'), Buffer.from('o')])).toEqual({ lines: ['one'], overflows: [] });
});

test('a line over the limit is dropped and told of before its end, and the next one is whole', () => {
  const endless = [Buffer.from('aaaa'), Buffer.from('aaaa'), Buffer.from('aaaa')];
  expect(split(endless, 5)).toEqual({ lines: [], overflows: [5] });
  expect(split([...endless, Buffer.from('aa\nok\n')], 5)).toEqual({ lines: ['ok'], overflows: [5] });
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

test('a short line that is kept alone does not keep what it came with, and a long one is not copied', () => {
  const lines: Line[] = [];
  const splitter = new LineSplitter({ line: (line) => lines.push(line), overflow: () => {} });
  const chunk = Buffer.alloc(65_536, ' ');
  chunk.write('{"short":1}\n');
  chunk.write('\n', 65_535);
  splitter.push(chunk);
  const [short, long] = lines;
  expect(short?.alone().text()).toBe('{"short":1}');
  expect(short?.alone().first.buffer).not.toBe(chunk.buffer);
  expect(long?.alone()).toBe(long);
});

test('what is nested without a bottom is taken for no JSON', () => {
  const nested = (depth: number) => Line.of('['.repeat(depth) + ']'.repeat(depth));
  expect(nested(1000).parse()).toHaveLength(1);
  expect(nested(1001).parse()).toBeUndefined();
});

test('a text is found in a line wherever the chunks of that are cut', () => {
  const text = '{"name":"mcp_dev_call","arguments":{}}';
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat({ max: text.length })), (places) => {
      const lines: Line[] = [];
      const splitter = new LineSplitter({ line: (line) => lines.push(line), overflow: () => {} });
      for (const chunk of cut(Buffer.from(`${text}\n`), places)) splitter.push(chunk);
      expect(lines.map((line) => [line.includes('mcp_dev_'), line.includes('mcp_dev-')])).toEqual([
        [true, false],
      ]);
    }),
  );
});
