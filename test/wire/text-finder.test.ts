import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Line, LineSplitter } from '../../src/wire/line.ts';
import { TextFinder } from '../../src/wire/text-finder.ts';

test('a text is found in the lines that it lies in, whichever of them are asked for, and in what order', () => {
  const texts = fc.array(fc.constantFrom('', 'a', 'own', 'own_', 'xown_x', 'own_own_'), { maxLength: 30 });
  fc.assert(
    fc.property(texts, fc.array(fc.nat()), fc.array(fc.nat()), (written, places, asked) => {
      const lines: Line[] = [];
      const splitter = new LineSplitter({ line: (line) => lines.push(line), overflow: () => {} });
      const bytes = Buffer.from(written.map((text) => `${text}\n`).join(''));
      const cuts = [...new Set([0, ...places.map((place) => place % (bytes.length + 1)), bytes.length])];
      cuts.sort((a, b) => a - b);
      for (const [index, from] of cuts.entries())
        splitter.push(Buffer.from(bytes.subarray(from, cuts[index + 1])));
      const finder = new TextFinder('own_');
      const order = [...lines.keys(), ...asked.map((n) => n % Math.max(1, lines.length))];
      for (const index of order.filter((n) => n < lines.length)) {
        expect(finder.isIn(lines[index] as Line)).toBe(written[index]?.includes('own_'));
      }
    }),
  );
});
