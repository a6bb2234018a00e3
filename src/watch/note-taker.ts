import type { Ledger } from './ledger.ts';

/** Files read in a row before a pause. */
const SLICE = 16;
/** Ms. With a slice of small files the reading takes about a tenth of the time. */
const PAUSE = 20;

/** Notes the contents of unread files in the background, a few at a time. */
export class NoteTaker {
  readonly #ledger: Ledger;
  readonly #hint: (path: string) => void;
  #state: 'resting' | 'reading' | 'closed' = 'resting';

  /** @param hint called with a file that was written while it waited to be read */
  constructor(ledger: Ledger, hint: (path: string) => void) {
    this.#ledger = ledger;
    this.#hint = hint;
  }

  /** To be called when files were entered. */
  wake(): void {
    if (this.#state !== 'resting') return;
    this.#state = 'reading';
    void this.#read();
  }

  close(): void {
    this.#state = 'closed';
  }

  async #read(): Promise<void> {
    let slice = 0;
    for (const path of this.#ledger.unread()) {
      if (!(await this.#ledger.read(path))) this.#hint(path);
      if (++slice % SLICE === 0) await new Promise((resolve) => setTimeout(resolve, PAUSE).unref());
      if (this.#state === 'closed') return;
    }
    this.#state = 'resting';
  }
}
