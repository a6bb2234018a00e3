import { monotonicMs } from '../system/clock.ts';

/** A timer that runs until a time of the monotonic clock, or stands still with so many ms left. */
type Timer =
  | {
      readonly state: 'running';
      readonly handle: NodeJS.Timeout;
      readonly until: number;
      readonly expire: () => void;
    }
  | { readonly state: 'paused'; readonly left: number; readonly expire: () => void };

/**
 * Named timers: setting one again replaces it, and one that is set to `Infinity` never expires. To pause or resume
 * a timer that is not there, or that is so already, changes nothing.
 */
export class Timers {
  readonly #timers = new Map<string, Timer>();

  set(name: string, ms: number, expire: () => void): void {
    this.clear(name);
    // Node would take it for one millisecond.
    if (ms === Number.POSITIVE_INFINITY) return;
    const handle = setTimeout(() => {
      this.#timers.delete(name);
      expire();
    }, ms);
    this.#timers.set(name, { state: 'running', handle, until: monotonicMs() + ms, expire });
  }

  /** Stops the time of a timer. */
  pause(name: string): void {
    const timer = this.#timers.get(name);
    if (timer?.state !== 'running') return;
    clearTimeout(timer.handle);
    const left = Math.max(0, timer.until - monotonicMs());
    this.#timers.set(name, { state: 'paused', left, expire: timer.expire });
  }

  /** Lets a timer go on with the time that was left when it was paused. */
  resume(name: string): void {
    const timer = this.#timers.get(name);
    if (timer?.state === 'paused') this.set(name, timer.left, timer.expire);
  }

  clear(name: string): void {
    const timer = this.#timers.get(name);
    if (timer?.state === 'running') clearTimeout(timer.handle);
    this.#timers.delete(name);
  }

  clearAll(): void {
    for (const name of [...this.#timers.keys()]) this.clear(name);
  }
}
