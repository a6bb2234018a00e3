import { closeSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { between, choose, type Random } from './random.ts';

/** What happens next; `calm` gives back-off, drains and clocks the time to run out. */
export type Blow = 'save' | 'break' | 'crash' | 'calm';

/** How long nothing happens; `slow` leaves time for a standby now and then, with messages that never pause. */
const PACES = { storm: [50, 500], slow: [50, 7000] } as const;

export type Pace = keyof typeof PACES;

/** Crashes that come closer together would only show how long mcp-dev waits after a row of them. */
const CRASH_EVERY_MS = 3000;
const WEIGHTS = { save: 80, break: 10, crash: 8, calm: 2 } as const;

/** Saves a server's source again and again, whole or broken, in both ways that editors do. */
export class Saboteur {
  /** The version of the last save that was whole. */
  version = 0;
  saves = 0;
  broken = 0;
  crashes = 0;
  readonly #folder: string;
  readonly #source: string;
  readonly #pace: readonly [number, number];
  readonly #random: Random;
  #crashedAt = 0;

  /** `source` is the file whose copies are saved as `server.mjs` in the folder; the first one is at once. */
  constructor(folder: string, source: string, pace: Pace, random: Random) {
    this.#folder = folder;
    this.#source = readFileSync(source, 'utf8');
    this.#pace = PACES[pace];
    this.#random = random;
    this.save();
  }

  /** How long nothing happens, and what happens then. */
  next(): { readonly afterMs: number; readonly blow: Blow } {
    const afterMs = between(this.#random, ...this.#pace);
    const blow = choose(this.#random, WEIGHTS);
    if (blow === 'calm') return { afterMs: 2500, blow };
    if (blow !== 'crash') return { afterMs, blow };
    if (performance.now() - this.#crashedAt < CRASH_EVERY_MS) return { afterMs, blow: 'save' };
    this.#crashedAt = performance.now();
    this.crashes += 1;
    return { afterMs, blow };
  }

  /** How a server is told to end. */
  wayToDie(): string {
    return choose(this.#random, { 'exit-0': 1, 'exit-3': 1, signal: 1, 'half-line': 1 });
  }

  /** A new version of the source. */
  save(): void {
    this.version += 1;
    this.saves += 1;
    this.#write(this.#text());
  }

  /** A source that cannot start; the next save mends it. */
  break(): void {
    this.broken += 1;
    this.#write(`${this.#text().slice(0, -20)}\n// ${this.broken}`);
  }

  #text(): string {
    return this.#source.replace('const VERSION = 0;', `const VERSION = ${this.version};`);
  }

  #write(text: string): void {
    const file = join(this.#folder, 'server.mjs');
    if (this.#random() < 0.5) {
      writeFileSync(`${file}.saving`, text);
      renameSync(`${file}.saving`, file);
      return;
    }
    // In place, and in two parts: who reads in between sees half a file.
    const half = text.length >> 1;
    const open = openSync(file, 'w');
    writeSync(open, text.slice(0, half));
    writeSync(open, text.slice(half));
    closeSync(open);
  }
}
