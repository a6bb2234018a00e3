import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Batcher, type Hold } from '../../src/watch/batcher.ts';
import type { Change } from '../../src/watch/change.ts';

const change = (path: string, kind: Change['kind'] = 'changed'): Change => ({ path, kind, at: 0 });

/** Asks at the times that the batcher names until it hands out a batch. */
function drain(batcher: Batcher, from: number, hold: (now: number) => Hold = () => 'none') {
  for (let now = from; ; ) {
    const step = batcher.next(now, hold(now));
    if (step.kind === 'idle') return undefined;
    if (step.kind === 'batch') return { at: now, changes: step.changes };
    expect(step.until).toBeGreaterThan(now);
    now = step.until;
  }
}

describe('the quiet time', () => {
  it('is 10 ms for a single file after a calm second', () => {
    const batcher = new Batcher(undefined);
    batcher.add(change('a'), 5000, 5000, false);
    batcher.add(change('a'), 5004, 5004, false);
    expect(drain(batcher, 5004)?.at).toBe(5014);
  });

  it('is 100 ms for several files', () => {
    const batcher = new Batcher(undefined);
    batcher.add(change('b'), 5000, 5000, false);
    batcher.add(change('a'), 5005, 5005, false);
    expect(drain(batcher, 5005)).toEqual({ at: 5105, changes: [change('a'), change('b')] });
  });

  it('is 100 ms for a single file when the last change is less than a second ago', () => {
    const batcher = new Batcher(undefined);
    batcher.add(change('a'), 5000, 5000, false);
    drain(batcher, 5000);
    batcher.add(change('a'), 5900, 5900, false);
    expect(drain(batcher, 5900)?.at).toBe(6000);
    batcher.add(change('a'), 6900, 6900, false);
    expect(drain(batcher, 6900)?.at).toBe(6910);
  });

  it('is 200 ms for what a compiler elsewhere writes', () => {
    const batcher = new Batcher(undefined);
    batcher.add(change('a'), 5000, 5000, true);
    expect(drain(batcher, 5000)?.at).toBe(5200);
  });

  it('is what was asked for, whatever happens', () => {
    const batcher = new Batcher(30);
    batcher.add(change('a'), 5000, 5000, true);
    batcher.add(change('b'), 5001, 5001, false);
    expect(drain(batcher, 5001)?.at).toBe(5031);
  });

  it('counts from when a change was noticed, even if that was told late', () => {
    const batcher = new Batcher(undefined);
    batcher.add(change('a'), 5100, 5000, false);
    expect(batcher.next(5100, 'none').kind).toBe('batch');
  });
});

describe('a batch', () => {
  it('waits one second at most, however often files change', () => {
    const batcher = new Batcher(undefined);
    for (let now = 5000; now < 6000; now += 50) {
      batcher.add(change(`${now}`), now, now, false);
      expect(batcher.next(now, 'none').kind).toBe('wait');
    }
    expect(drain(batcher, 5950)?.at).toBe(6000);
  });

  it('waits as long as the quiet time that was asked for', () => {
    const batcher = new Batcher(3000);
    batcher.add(change('a'), 5000, 5000, false);
    expect(drain(batcher, 5000)?.at).toBe(8000);
  });

  it('waits while git holds its lock, three seconds at most', () => {
    const released = new Batcher(undefined);
    released.add(change('a'), 5000, 5000, false);
    expect(drain(released, 5000, (now) => (now < 6500 ? 'git' : 'none'))?.at).toBeLessThan(6600);
    const held = new Batcher(undefined);
    held.add(change('a'), 5000, 5000, false);
    expect(drain(held, 5000, () => 'git')?.at).toBe(8000);
  });

  it('waits for a file that is being looked at, one second at most', () => {
    const batcher = new Batcher(undefined);
    batcher.add(change('a'), 5000, 5000, false);
    expect(drain(batcher, 5000, () => 'looking')?.at).toBe(6000);
  });

  it('takes in what is told late, as long as more is to come', () => {
    const batcher = new Batcher(undefined);
    for (let now = 9000; now < 9900; now += 10) {
      batcher.add(change(`${now}`), now, 5000, false);
      expect(batcher.next(now, 'looking').kind).toBe('wait');
    }
    expect(batcher.next(9900, 'none').kind).toBe('batch');
  });

  it('has one change for each path', () => {
    const kinds = (...all: Change['kind'][]) => {
      const batcher = new Batcher(undefined);
      for (const kind of all) batcher.add(change('a', kind), 5000, 5000, false);
      return drain(batcher, 5000)?.changes.map(({ kind }) => kind);
    };
    expect(kinds('added', 'changed')).toEqual(['added']);
    expect(kinds('added', 'removed')).toEqual(['removed']);
    expect(kinds('removed', 'added')).toEqual(['changed']);
    expect(kinds('changed', 'removed')).toEqual(['removed']);
  });
});

it('hands out every change once, within the limit, sorted by path', () => {
  const arrivals = fc.array(
    fc.record({
      path: fc.constantFrom('a', 'b', 'c', 'd'),
      pause: fc.integer({ min: 0, max: 1500 }),
      compiled: fc.boolean(),
      hold: fc.constantFrom<Hold>('none', 'looking', 'git'),
    }),
    { minLength: 1 },
  );
  fc.assert(
    fc.property(arrivals, fc.option(fc.integer({ min: 0, max: 2000 }), { nil: undefined }), (list, fixed) => {
      const batcher = new Batcher(fixed);
      const since = new Map<string, number>();
      let now = 0;
      const run = (until: number, hold: Hold) => {
        for (;;) {
          const step = batcher.next(now, hold);
          if (step.kind === 'batch') {
            const paths = step.changes.map(({ path }) => path);
            expect(paths).toEqual([...since.keys()].sort());
            expect(now - Math.min(...since.values())).toBeLessThanOrEqual(Math.max(3000, fixed ?? 0));
            since.clear();
          } else if (step.kind === 'idle' || step.until > until) {
            now = Math.max(now, until);
            return;
          } else {
            now = step.until;
          }
        }
      };
      for (const { path, pause, compiled, hold } of list) {
        run(now + pause, hold);
        batcher.add(change(path), now, now, compiled);
        if (!since.has(path)) since.set(path, now);
      }
      run(Number.POSITIVE_INFINITY, 'none');
      expect(since.size).toBe(0);
    }),
  );
});
