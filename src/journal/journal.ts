import type { DevEvent, ReloadEvent } from './event.ts';
import { LogRing } from './log-ring.ts';

/** A reload that is over, and when it was; ms since the epoch. */
export type PastReload = ReloadEvent & { readonly time: number };

/** So many reloads are remembered. */
const RELOADS = 20;

/** What is known of a server's past: its log, its last reloads, and how often it misbehaved. */
export class Journal {
  readonly logs = new LogRing();
  readonly #reloads: PastReload[] = [];
  readonly #listeners = new Set<(event: DevEvent) => void>();
  #crashes = 0;
  #strayLines = 0;

  /** Takes an event that happened just now. */
  note(event: DevEvent): void {
    if (event.event === 'reload') {
      this.#reloads.push({ ...event, time: Date.now() });
      if (this.#reloads.length > RELOADS) this.#reloads.shift();
    } else if (event.event === 'crash') this.#crashes++;
    else if (event.event === 'garbage') this.#strayLines++;
    for (const listener of this.#listeners) listener(event);
  }

  /** Calls `listener` with every event from now on, until the function that it returns is called. */
  listen(listener: (event: DevEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The last reloads, the oldest first. */
  get reloads(): readonly PastReload[] {
    return this.#reloads;
  }

  /** How often an active generation ended by itself. */
  get crashes(): number {
    return this.#crashes;
  }

  /** How many lines on the server's stdout were no messages. */
  get strayLines(): number {
    return this.#strayLines;
  }
}
