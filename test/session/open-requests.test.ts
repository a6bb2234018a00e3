import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OpenRequests } from '../../src/session/open-requests.ts';
import { newRequest } from '../../src/session/requests.ts';
import type { ClientRequest } from '../../src/session/state.ts';
import type { Id } from '../../src/wire/id.ts';
import { Line } from '../../src/wire/line.ts';

function requestOf(id: Id): ClientRequest {
  return newRequest({ id, method: 'ping', line: Line.of('{}'), batch: undefined });
}

/** Few enough ids that they are used again, with such among them as want the same place. */
const id: fc.Arbitrary<Id> = fc.oneof(
  fc.integer({ min: 0, max: 12 }).map((number) => number * 4096 + 5),
  fc.integer({ min: 0, max: 9 }),
  fc.constantFrom('""', '"a"', '"one same"', '"two same"', '"a much longer same"', '-1', '9007199254740993'),
);

test('it knows what a map would know, in the same order', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ id, adds: fc.boolean() }), { maxLength: 100 }), (steps) => {
      const open = new OpenRequests();
      const known = new Map<Id, ClientRequest>();
      for (const { id, adds } of steps) {
        const before = known.get(id);
        expect(open.get(id)).toBe(before);
        if (before !== undefined) {
          open.delete(before);
          known.delete(id);
        } else if (adds) {
          const request = requestOf(id);
          open.add(request);
          known.set(id, request);
        }
        expect(open.all().map((request) => request.id)).toEqual([...known.keys()]);
      }
    }),
  );
});

test('what was taken out already takes nothing else out', () => {
  const open = new OpenRequests();
  const [first, second] = [requestOf(7), requestOf(7)];
  open.add(first);
  open.delete(first);
  open.add(second);
  open.delete(first);
  expect(open.get(7)).toBe(second);
  expect(open.all()).toHaveLength(1);
});
