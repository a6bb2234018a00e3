import treeKill from 'tree-kill';
import { isStill, listProcesses, listProcessesNow, type ProcessRow } from '../system/process-table.ts';

/** Each process of a generation carries it in its environment, with a value that no other generation has. */
const KEY_VARIABLE = 'MCP_DEV_GENERATION_KEY';

/** A variable of the environment by which the processes of a generation are known. */
export interface Mark {
  readonly name: string;
  readonly value: string;
}

/** A mark for one generation. Unique is enough (it guards nothing), and node:crypto would take 3 ms to load. */
export function generationMark(): Mark {
  const value = `${process.pid}-${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
  return { name: KEY_VARIABLE, value };
}

/**
 * The leader (the process that was started) and everything that came from it, however it left: members of its
 * process group and of its session, children of children, and processes that forked twice and belong to init
 * now, which are known by the mark in their environment or from an earlier survey.
 *
 * Why no foreign process is ever hit, although numbers are used again:
 * - Until the leader's 'exit' is delivered here it has not been reaped, or was in this very turn of the event
 *   loop, so its number is taken, and so are the numbers of its group and session, which are the same (it is
 *   started as the leader of both).
 * - After that the system keeps the number taken as long as the group or the session has a member. The group is
 *   only signalled when a survey has just shown one. Should a survey that began after the end show a process
 *   with the leader's own number, then the number has a new owner, and group and session stop counting for good.
 * - Others are signalled one by one, if number and start time are still those of the survey.
 */
export class Family {
  readonly #leader: number;
  readonly #mark: string;
  readonly #seen = new Map<number, ProcessRow>();
  #number: 'leader-alive' | 'leader-ended' | 'used-again' = 'leader-alive';

  constructor(leader: number, mark: Mark) {
    this.#leader = leader;
    this.#mark = `${mark.name}=${mark.value}`;
  }

  /** To be called in the handler of the leader's 'exit'. */
  leaderEnded(): void {
    this.#number = 'leader-ended';
  }

  /** Who is alive, without the leader. On Windows nobody can tell, and the answer is empty. */
  async survey(): Promise<ProcessRow[]> {
    if (process.platform === 'win32') return [];
    const number = this.#number;
    const rows = await listProcesses(this.#mark);
    // A listing from before the leader's end may show the leader itself, which proves nothing.
    if (number === 'leader-ended') this.#noteNewOwner(rows);
    return this.#choose(rows);
  }

  /** Sends the signal to the group first and then to whoever left it. Windows knows only one way to end a tree. */
  signal(signal: NodeJS.Signals, members: readonly ProcessRow[]): void {
    if (process.platform === 'win32') {
      if (this.#number === 'leader-alive') treeKill(this.#leader, signal, ignoreTaskkillFailure);
      return;
    }
    if (this.#number === 'leader-alive' || members.some((row) => this.#inGroup(row))) {
      send(-this.#leader, signal);
    }
    this.signalEach(
      signal,
      members.filter((row) => !this.#inGroup(row)),
    );
  }

  /** Sends the signal to these alone. */
  signalEach(signal: NodeJS.Signals, members: readonly ProcessRow[]): void {
    for (const row of members) if (isStill(row)) send(row.pid, signal);
  }

  /** SIGKILL to all that can be found without waiting. For the exit path of our own process. */
  killNow(): void {
    const rows = listProcessesNow(this.#mark);
    if (rows !== undefined && this.#number === 'leader-ended') this.#noteNewOwner(rows);
    this.signal('SIGKILL', rows === undefined ? [...this.#seen.values()] : this.#choose(rows));
  }

  #noteNewOwner(rows: readonly ProcessRow[]): void {
    if (rows.some((row) => row.pid === this.#leader)) this.#number = 'used-again';
  }

  #choose(rows: readonly ProcessRow[]): ProcessRow[] {
    const childrenOf = new Map<number, ProcessRow[]>();
    for (const row of rows) {
      const siblings = childrenOf.get(row.parent);
      if (siblings === undefined) childrenOf.set(row.parent, [row]);
      else siblings.push(row);
    }
    const members = new Map<number, ProcessRow>();
    const add = (row: ProcessRow): void => {
      if (row.pid === this.#leader || row.pid === process.pid || members.has(row.pid)) return;
      members.set(row.pid, row);
      for (const child of childrenOf.get(row.pid) ?? []) add(child);
    };
    if (this.#number === 'leader-alive') for (const child of childrenOf.get(this.#leader) ?? []) add(child);
    for (const row of rows) if (this.#isOurs(row)) add(row);
    for (const row of members.values()) this.#seen.set(row.pid, row);
    return [...members.values()];
  }

  #isOurs(row: ProcessRow): boolean {
    return (
      row.marked || this.#inGroup(row) || this.#inSession(row) || this.#seen.get(row.pid)?.start === row.start
    );
  }

  #inGroup(row: ProcessRow): boolean {
    return this.#number !== 'used-again' && row.group === this.#leader;
  }

  #inSession(row: ProcessRow): boolean {
    return this.#number !== 'used-again' && row.session === this.#leader;
  }
}

function send(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    // It ended just now, or it runs as another user and is out of reach: nothing more can be done for either.
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}

/** taskkill fails when the tree ended by itself meanwhile; whether it did is seen from the leader's exit. */
function ignoreTaskkillFailure(): void {}
