/** Named timers: setting one again replaces it, and one that is set to `Infinity` never expires. */
export class Timers {
  readonly #timers = new Map<string, NodeJS.Timeout>();

  set(name: string, ms: number, expire: () => void): void {
    this.clear(name);
    // Node would take it for one millisecond.
    if (ms === Number.POSITIVE_INFINITY) return;
    const timer = setTimeout(() => {
      this.#timers.delete(name);
      expire();
    }, ms);
    this.#timers.set(name, timer);
  }

  clear(name: string): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }

  clearAll(): void {
    for (const name of [...this.#timers.keys()]) this.clear(name);
  }
}
