import { setTimeout as delay } from 'node:timers/promises';
import { HAS_PROC, politely, statSlices } from '../system/proc.ts';

/** After SIGTERM a process may end by itself for this long, in ms. */
const TERM_MS = 2000;
/** What got SIGKILL is waited for no longer than this, in ms. */
const KILL_MS = 2000;

/**
 * A group of processes (POSIX), named by the pid of its leader, who was started as one.
 *
 * Signalling by that number is safe: the system gives it to nobody else while one member is left, the
 * leader unwaited for included. Once the group was seen empty it is never signalled again.
 */
export class ProcessGroup {
  readonly #leader: number;
  #emptied = false;

  constructor(leader: number) {
    this.#leader = leader;
  }

  /** Signals every member; signal 0 only looks. False when there is none. */
  signal(signal: NodeJS.Signals | 0): boolean {
    if (this.#emptied) return false;
    try {
      process.kill(-this.#leader, signal);
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Members are left that run as somebody else (setuid): not ours to end, but there.
      if (code === 'EPERM') return true;
      if (code !== 'ESRCH') throw error;
      this.#emptied = true;
      return false;
    }
  }

  /** Ends every member, gently first; resolves when they are gone, or when only the kernel holds them back. */
  async end(): Promise<void> {
    if (!this.signal('SIGTERM') || (await this.ended(TERM_MS))) return;
    this.signal('SIGKILL');
    await this.ended(KILL_MS);
  }

  /** Waits until no member runs any more; false when `ms` passed first. */
  async ended(ms: number): Promise<boolean> {
    const deadline = performance.now() + ms;
    for (let pause = 5; this.signal(0); pause = Math.min(pause * 2, 50)) {
      // Asked only when looking did not settle it soon, for it reads a file for each process there is.
      if (pause === 50 && HAS_PROC && (await this.#onlyDead())) return true;
      const left = deadline - performance.now();
      if (left <= 0) return false;
      await delay(Math.min(pause, left));
    }
    return true;
  }

  /**
   * Whether what is left has ended and was only never waited for: the kernel counts that as members, and
   * in a container whose first process waits for nobody it stays for good.
   */
  async #onlyDead(): Promise<boolean> {
    // Twice, since a process that forks and ends while the list is made may be missed with its child.
    return !(await this.#hasLiving()) && !(await this.#hasLiving());
  }

  async #hasLiving(): Promise<boolean> {
    for await (const slice of politely(statSlices())) {
      if (slice.some(({ group }) => group === this.#leader)) return true;
    }
    return false;
  }
}
