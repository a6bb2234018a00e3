import { expect, onTestFinished, test, vi } from 'vitest';
import { Timers } from '../../src/reload/timers.ts';

/** Timers on a clock that is moved by hand, and what has expired. */
function setUp(): { timers: Timers; expired: string[]; set(name: string, ms: number): void } {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'hrtime'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const timers = new Timers();
  const expired: string[] = [];
  return { timers, expired, set: (name, ms) => timers.set(name, ms, () => expired.push(name)) };
}

test('a timer that was paused goes on with the time that is left, however often', () => {
  const { timers, expired, set } = setUp();
  set('a', 1000);
  for (let round = 0; round < 3; round++) {
    vi.advanceTimersByTime(300);
    timers.pause('a');
    timers.pause('a');
    vi.advanceTimersByTime(100_000);
    timers.resume('a');
    timers.resume('a');
  }
  vi.advanceTimersByTime(99);
  expect(expired).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(expired).toEqual(['a']);
  timers.resume('a');
  vi.advanceTimersByTime(100_000);
  expect(expired).toEqual(['a']);
});

test('a timer that was cleared or set again while it stood still has forgotten what was left', () => {
  const { timers, expired, set } = setUp();
  set('cleared', 100);
  set('again', 100);
  set('endless', Number.POSITIVE_INFINITY);
  for (const name of ['cleared', 'again', 'endless', 'never set']) timers.pause(name);
  timers.clear('cleared');
  set('again', 500);
  for (const name of ['cleared', 'again', 'endless', 'never set']) timers.resume(name);
  vi.advanceTimersByTime(499);
  expect(expired).toEqual([]);
  vi.advanceTimersByTime(100_000);
  expect(expired).toEqual(['again']);
});

test('nothing expires once all are cleared, whether it ran or stood still', () => {
  const { timers, expired, set } = setUp();
  set('running', 100);
  set('paused', 100);
  timers.pause('paused');
  timers.clearAll();
  timers.resume('paused');
  vi.advanceTimersByTime(1000);
  expect(expired).toEqual([]);
});
