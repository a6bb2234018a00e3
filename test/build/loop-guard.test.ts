import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BuildOutcome } from '../../src/build/builder.ts';
import { type GuardedChange, LoopGuard } from '../../src/build/loop-guard.ts';

type Outcome = BuildOutcome['outcome'];

/**
 * One file that is watched and builds that take 10 ms each, started over by what counts, as a reload does.
 * The build writes the file `written` at that time after its start.
 */
class World {
  readonly guard = new LoopGuard<GuardedChange>();
  readonly named: string[] = [];
  builds = 0;
  now = 0;

  /** Builds until nothing more is to be built; gives how many builds it took. */
  settle(written: number | undefined, limit: number): number {
    const before = this.builds;
    for (let again = true; again && this.builds - before < limit; ) again = this.#build(written);
    return this.builds - before;
  }

  save(path: string): readonly GuardedChange[] {
    this.now += 1000;
    return this.#tell(path);
  }

  #build(written: number | undefined): boolean {
    this.builds += 1;
    this.now += 20;
    this.guard.buildStarted(this.now);
    if (written !== undefined) {
      this.now += written;
      if (this.#tell('version.ts').length > 0) {
        this.guard.buildEnded(this.now, 'aborted');
        return true;
      }
    }
    this.now += 10 - (written ?? 0);
    return this.guard.buildEnded(this.now, 'built').length > 0;
  }

  #tell(path: string): readonly GuardedChange[] {
    const { counted, named } = this.guard.filter([{ path, at: this.now }]);
    this.named.push(...named);
    return counted;
  }
}

describe('a build that writes a watched file', () => {
  test.each([0, 5, 10])(
    '%i ms after its start ends after a few rounds, and the file is named once',
    (written) => {
      const world = new World();
      expect(world.save('a.ts')).toHaveLength(1);
      expect(world.settle(written, 100)).toBe(6);
      expect(world.named).toEqual(['version.ts']);
      // From now on each save is one build.
      expect(world.save('a.ts')).toHaveLength(1);
      expect(world.settle(written, 100)).toBe(1);
      expect(world.named).toEqual(['version.ts']);
    },
  );

  test('does not cost a save between builds', () => {
    const world = new World();
    world.save('a.ts');
    world.settle(5, 100);
    expect(world.save('version.ts')).toEqual([{ path: 'version.ts', at: world.now }]);
    expect(world.settle(5, 100)).toBe(1);
  });

  test('counts again when a build has succeeded without it', () => {
    const world = new World();
    world.save('a.ts');
    world.settle(5, 100);
    world.save('a.ts');
    expect(world.settle(undefined, 100)).toBe(1);
    world.save('a.ts');
    expect(world.settle(5, 100)).toBe(6);
    expect(world.named).toEqual(['version.ts']);
  });
});

test('the first three builds may be aborted for a file, then its changes wait for the end', () => {
  const guard = new LoopGuard<GuardedChange>();
  const seen: string[] = [];
  for (let n = 1; n <= 6; n += 1) {
    guard.buildStarted(n * 100);
    const change = { path: 'a.ts', at: n * 100 + 5 };
    const { counted, named } = guard.filter([change]);
    const waited = guard.buildEnded(n * 100 + 9, 'built');
    expect([...counted, ...waited].every((each) => each === change)).toBe(true);
    seen.push(counted.length ? 'at once' : waited.length ? 'at the end' : `dropped, named ${named}`);
  }
  expect(seen).toEqual(['at once', 'at once', 'at once', 'at the end', 'at the end', 'dropped, named a.ts']);
});

test('a change that is told after the end of its build counts at once instead of waiting', () => {
  const guard = new LoopGuard<GuardedChange>();
  const lengths: number[] = [];
  for (let n = 1; n <= 6; n += 1) {
    guard.buildStarted(n * 100);
    expect(guard.buildEnded(n * 100 + 8, 'built')).toEqual([]);
    lengths.push(guard.filter([{ path: 'a.ts', at: n * 100 + 8 }]).counted.length);
  }
  expect(lengths).toEqual([1, 1, 1, 1, 1, 0]);
});

test('several changes in one build are one of the row; other files have rows of their own', () => {
  const guard = new LoopGuard<GuardedChange>();
  for (let n = 1; n <= 3; n += 1) {
    guard.buildStarted(n * 100);
    for (const at of [1, 2, 3]) {
      expect(guard.filter([{ path: 'a.ts', at: n * 100 + at }]).counted).toHaveLength(1);
    }
    guard.buildEnded(n * 100 + 9, 'aborted');
  }
  guard.buildStarted(400);
  const changes = [
    { path: 'a.ts', at: 401 },
    { path: 'b.ts', at: 402 },
  ];
  expect(guard.filter(changes).counted).toEqual([changes[1]]);
  expect(guard.buildEnded(409, 'built')).toEqual([changes[0]]);
});

test('whoever saves: a save is followed by a build, unless the file changed in six builds in a row', () => {
  const step = fc.record({
    saves: fc.array(fc.constantFrom('a.ts', 'b.ts'), { maxLength: 2 }),
    outcome: fc.constantFrom<Outcome>('built', 'failed', 'aborted'),
    between: fc.array(fc.constantFrom('a.ts', 'b.ts'), { maxLength: 1 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const guard = new LoopGuard<GuardedChange>();
      const rows = new Map<string, number>();
      let now = 0;
      const tick = () => {
        now += 10;
        return now;
      };
      for (const { saves, outcome, between } of steps) {
        guard.buildStarted(tick());
        const changes = saves.map((path) => ({ path, at: tick() }));
        const { counted } = guard.filter(changes);
        const waited = guard.buildEnded(tick(), outcome);
        const built = new Set([...counted, ...waited].map(({ path }) => path));
        for (const path of ['a.ts', 'b.ts'] as const) {
          if (saves.includes(path)) rows.set(path, (rows.get(path) ?? 0) + 1);
          else if (outcome === 'built') rows.set(path, 0);
          if (saves.includes(path)) expect(built.has(path)).toBe(rows.get(path)! < 6);
        }
        const outside = between.map((path) => ({ path, at: tick() }));
        expect(guard.filter(outside)).toEqual({ counted: outside, named: [] });
      }
    }),
  );
});
