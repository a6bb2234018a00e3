import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Line, LineSplitter } from '../../src/wire/line.ts';
import { Outbox } from '../../src/wire/outbox.ts';

test('what was unchanged leaves in one write, from where it was received', () => {
  const written: Buffer[] = [];
  const outbox = new Outbox({ write: (bytes) => written.push(bytes) > 0 });
  const splitter = new LineSplitter({ line: (line) => outbox.push(line), overflow: () => {} });
  const chunk = Buffer.from('{"a":1}\n{"b":2}\n{"c":3}\n');
  splitter.push(chunk);
  outbox.flush();
  expect(written).toHaveLength(1);
  expect(written[0]?.buffer).toBe(chunk.buffer);
  expect(String(written[0])).toBe(String(chunk));
});

test('lines come out in order, each with its newline, changed or not', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ text: fc.string({ unit: fc.constantFrom('a', 'ü', ' ') }), own: fc.boolean() })),
      fc.integer({ min: 1, max: 40 }),
      (lines, size) => {
        let written = '';
        const outbox = new Outbox({
          write: (bytes) => {
            written += bytes.toString('latin1');
            return true;
          },
        });
        let index = 0;
        const splitter = new LineSplitter({
          line: (line) => outbox.push(lines[index++]?.own ? Line.of(line.text()) : line),
          overflow: () => {},
        });
        const bytes = Buffer.from(lines.map(({ text }) => `${text}\n`).join(''));
        for (let at = 0; at < bytes.length; at += size) splitter.push(bytes.subarray(at, at + size));
        outbox.flush();
        // Nothing is left for a second time.
        outbox.flush();
        expect(written).toBe(bytes.toString('latin1'));
      },
    ),
  );
});
