import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type GuardedChange, LoopGuard, type RoundOutcome } from '../../src/reload/loop-guard.ts';

/** So long, in ms, a change that is suspected waits for calm. */
const CALM = 1500;

/**
 * One file that is watched and rounds that take 10 ms each, started over by what counts. Each round writes the
 * file `written` at that time after its beginning.
 */
class World {
  readonly guard = new LoopGuard<GuardedChange>();
  readonly named: string[] = [];
  rounds = 0;
  now = 0;

  /** Reloads until nothing more is to be done; gives how many rounds it took. */
  settle(written: number | undefined, limit: number): number {
    const before = this.rounds;
    for (let again = true; again && this.rounds - before < limit; ) again = this.#round(written);
    return this.rounds - before;
  }

  /** Whether the save counts. */
  save(path: string): boolean {
    this.now += 2000;
    return this.#tell(path) === 'counted';
  }

  #round(written: number | undefined): boolean {
    this.rounds += 1;
    this.now += 120;
    this.guard.began(this.now);
    this.guard.built(this.now + 5);
    const end = this.now + 10;
    const isWithin = written !== undefined && written <= 10;
    if (isWithin) {
      this.now += written;
      const verdict = this.#tell('version.ts');
      if (verdict === 'counted') {
        this.guard.ended(this.now, 'aborted');
        return true;
      }
      this.guard.ended(end, 'served');
      this.now = end + (verdict === 'suspected' ? CALM : 0);
      return verdict === 'suspected';
    }
    this.guard.ended(end, 'served');
    this.now = end;
    if (written === undefined) return false;
    this.now += written - 10;
    const verdict = this.#tell('version.ts');
    if (verdict === 'suspected') this.now += CALM;
    return verdict !== 'dropped';
  }

  #tell(path: string): 'counted' | 'suspected' | 'dropped' {
    const { counted, suspected, named } = this.guard.filter([{ path, at: this.now }]);
    this.named.push(...named);
    if (counted.length > 0) return 'counted';
    return suspected.length > 0 ? 'suspected' : 'dropped';
  }
}

describe('a reload that writes a watched file', () => {
  test.each([0, 5, 10, 300])(
    '%i ms after its beginning ends after a few rounds, and the file is named once',
    (written) => {
      const world = new World();
      expect(world.save('a.ts')).toBe(true);
      expect(world.settle(written, 100)).toBe(6);
      expect(world.named).toEqual(['version.ts']);
      // From now on each save is one round.
      expect(world.save('a.ts')).toBe(true);
      expect(world.settle(written, 100)).toBe(1);
      expect(world.named).toEqual(['version.ts']);
    },
  );

  test('does not cost a save between rounds', () => {
    const world = new World();
    world.save('a.ts');
    world.settle(5, 100);
    expect(world.save('version.ts')).toBe(true);
    expect(world.settle(5, 100)).toBe(1);
  });

  test('does not cost a save in another part of a round than that in which it writes', () => {
    for (const [written, saved, counts] of [
      [3, 8, true],
      [3, 30, true],
      [8, 3, true],
      [8, 30, false],
      [300, 8, false],
    ] as const) {
      const world = new World();
      world.save('a.ts');
      world.settle(written, 100);
      world.now += 2000;
      world.guard.began(world.now);
      world.guard.built(world.now + 5);
      world.guard.ended(world.now + 10, 'served');
      const { counted } = world.guard.filter([{ path: 'version.ts', at: world.now + saved }]);
      expect(counted.length > 0).toBe(counts);
    }
  });

  test('in the build, and later another one at the start, is recognised for each', () => {
    const world = new World();
    world.save('a.ts');
    world.settle(3, 100);
    world.save('a.ts');
    expect(world.settle(8, 100)).toBe(6);
  });

  test('counts again when two rounds have succeeded without it, not after one', () => {
    const world = new World();
    world.save('a.ts');
    world.settle(5, 100);
    world.save('a.ts');
    expect(world.settle(undefined, 100)).toBe(1);
    world.save('a.ts');
    expect(world.settle(5, 100)).toBe(1);
    for (const _ of [1, 2]) {
      world.save('a.ts');
      expect(world.settle(undefined, 100)).toBe(1);
    }
    world.save('a.ts');
    expect(world.settle(5, 100)).toBe(6);
    expect(world.named).toEqual(['version.ts']);
  });
});

test('a change whose time lags behind the clock belongs to the round, too', () => {
  const guard = new LoopGuard<GuardedChange>();
  const lengths: number[] = [];
  for (let n = 1; n <= 6; n += 1) {
    guard.began(n * 1000);
    lengths.push(guard.filter([{ path: 'a.ts', at: n * 1000 - 40 }]).counted.length);
    guard.ended(n * 1000 + 9, 'served');
  }
  expect(lengths).toEqual([1, 1, 1, 0, 0, 0]);
});

test('what a server writes at its end belongs to the round that replaced it', () => {
  const guard = new LoopGuard<GuardedChange>();
  const seen: string[] = [];
  for (let n = 1; n <= 6; n += 1) {
    guard.began(n * 10_000);
    guard.ended(n * 10_000 + 9, 'served');
    guard.stopping(n * 10_000 + 2000);
    const { counted, suspected, named } = guard.filter([{ path: 'a.ts', at: n * 10_000 + 2010 }]);
    guard.stopped(n * 10_000 + 2020);
    seen.push(counted.length ? 'counted' : suspected.length ? 'suspected' : `named ${named}`);
  }
  expect(seen).toEqual(['counted', 'counted', 'counted', 'suspected', 'suspected', 'named a.ts']);
  const save = { path: 'a.ts', at: 62_030 };
  expect(guard.filter([save]).counted).toEqual([save]);
});

test('who saves in the calm after a round, too, is no reload', () => {
  const guard = new LoopGuard<GuardedChange>();
  for (let n = 1; n <= 20; n += 1) {
    guard.began(n * 5000);
    expect(guard.filter([{ path: 'a.ts', at: n * 5000 + 1000 }]).named).toEqual([]);
    guard.ended(n * 5000 + 2000, 'served');
    // The third round is followed by a calm in which the next save of a row of saves falls.
    if (n % 3 === 0) {
      expect(guard.filter([{ path: 'a.ts', at: n * 5000 + 3000 }]).counted).toHaveLength(1);
    }
  }
});

test('a round goes on until it has ended, whatever its steps', () => {
  const guard = new LoopGuard<GuardedChange>();
  for (let n = 1; n <= 6; n += 1) {
    guard.began(100);
    expect(guard.filter([{ path: 'a.ts', at: 100 + n }]).counted).toHaveLength(1);
  }
});

test('several changes in one round are one of the row; other files have rows of their own', () => {
  const guard = new LoopGuard<GuardedChange>();
  for (let n = 1; n <= 3; n += 1) {
    guard.began(n * 1000);
    for (const at of [1, 2, 3]) {
      expect(guard.filter([{ path: 'a.ts', at: n * 1000 + at }]).counted).toHaveLength(1);
    }
    guard.ended(n * 1000 + 9, 'aborted');
  }
  guard.began(4000);
  const changes = [
    { path: 'a.ts', at: 4001 },
    { path: 'b.ts', at: 4002 },
  ];
  expect(guard.filter(changes)).toEqual({ counted: [changes[1]], suspected: [changes[0]], named: [] });
});

test('whoever saves: a save is followed by a round, unless the file changed in six rounds in a row', () => {
  const step = fc.record({
    saves: fc.array(fc.constantFrom('a.ts', 'b.ts'), { maxLength: 2 }),
    outcome: fc.constantFrom<RoundOutcome>('served', 'failed', 'aborted'),
    between: fc.array(fc.constantFrom('a.ts', 'b.ts'), { maxLength: 1 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const guard = new LoopGuard<GuardedChange>();
      const rows = new Map<string, number>();
      const without = new Map<string, number>();
      const isNamed = new Set<string>();
      let now = 0;
      for (const { saves, outcome, between } of steps) {
        now += 1000;
        guard.began(now);
        const changes = saves.map((path) => ({ path, at: now + 10 }));
        const { counted, suspected, named } = guard.filter(changes);
        guard.ended(now + 20, outcome);
        const served = new Set([...counted, ...suspected].map(({ path }) => path));
        for (const path of named) isNamed.add(path);
        for (const path of ['a.ts', 'b.ts'] as const) {
          if (saves.includes(path)) {
            rows.set(path, (rows.get(path) ?? 0) + 1);
            without.set(path, 0);
          } else if (outcome === 'served') {
            without.set(path, (without.get(path) ?? 0) + 1);
            if (without.get(path) === 2) rows.set(path, 0);
          }
          if (saves.includes(path)) expect(served.has(path)).toBe(rows.get(path)! < 6);
        }
        const outside = between.map((path) => ({ path, at: now + 700 }));
        expect(guard.filter(outside)).toEqual({ counted: outside, suspected: [], named: [] });
        for (const path of between) if (!isNamed.has(path)) rows.set(path, 0);
      }
    }),
  );
});
