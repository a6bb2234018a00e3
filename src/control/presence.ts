import { meetingPlace, privateFolder } from '../config/private-folder.ts';
import type { Subject } from './answering.ts';
import type { Listener } from './listener.ts';

/** A quick server has answered by then what made us appear, and does not wait for what is loaded. */
const FIRST_ANSWER_MS = 20;

/** What is said when other processes cannot reach us. */
type Complain = (text: string) => void;

/**
 * That other processes of this user can reach this one. It begins when somebody uses the server, and costs nothing
 * before: what listens is loaded then.
 */
export class Presence {
  readonly #subject: () => Subject;
  readonly #complain: Complain;
  #state:
    | { readonly kind: 'absent' | 'appearing' | 'over' }
    | { readonly kind: 'present'; readonly listener: Listener } = { kind: 'absent' };

  constructor(subject: () => Subject, complain: Complain) {
    this.#subject = subject;
    this.#complain = complain;
  }

  /** Can be said again and again. Nothing happens in this very turn. */
  appear(): void {
    if (this.#state.kind !== 'absent') return;
    this.#state = { kind: 'appearing' };
    setTimeout(() => void this.#listen(), FIRST_ANSWER_MS).unref();
  }

  /** Nobody new is let in from now on, and nothing is left in the file system. */
  vanish(): void {
    if (this.#state.kind === 'present') this.#state.listener.close();
    this.#state = { kind: 'over' };
  }

  get #isOver(): boolean {
    return this.#state.kind === 'over';
  }

  async #listen(): Promise<void> {
    if (this.#isOver) return;
    const folder = privateFolder();
    if (folder === undefined) {
      this.#complain(
        `other terminals cannot reach this: ${meetingPlace()} is no private folder of this user`,
      );
      return;
    }
    try {
      // They are not there any more when our package was removed or replaced while we ran.
      const { addressOf, ourselves } = await import('./address.ts');
      const { listen } = await import('./listener.ts');
      const { clearStale } = await import('./instances.ts');
      const listener = await listen(addressOf(folder, ourselves()), this.#subject());
      if (this.#isOver) listener.close();
      else this.#state = { kind: 'present', listener };
      await clearStale(folder);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      this.#complain(`other terminals cannot reach this: ${message}`);
    }
  }
}
