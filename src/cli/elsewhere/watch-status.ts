import { constants } from 'node:os';
import { converse } from '../../control/connection.ts';
import type { Instance } from '../../control/instances.ts';
import { steady } from '../../control/steady.ts';
import type { Elsewhere } from './command.ts';
import { select } from './select.ts';
import { COLUMNS, page, toJson } from './status.ts';
import type { Shown } from './status-view.ts';
import type { Surroundings } from './surroundings.ts';

type Command = Extract<Elsewhere, { kind: 'status' }>;

/** Those that were started or ended meanwhile are noticed by then. */
const LOOK_MS = 1000;
const ROWS = 50;
/** Into a screen of its own, and back to what was there before, cursor included. */
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';

/** Shows how it goes until somebody ends that; resolves with the exit code of the signal. */
export async function watchStatus(command: Command, place: Surroundings): Promise<number> {
  const end = ended();
  const display = process.stdout.isTTY && !command.json ? new Screen() : new Printout(command, place);
  const shown = new Map<string, Shown>();
  const draw = (why: string | undefined): void => display.draw([...shown.values()], why);
  let why: string | undefined;
  const follow = async ({ address, hello }: Instance): Promise<void> => {
    for await (const reply of converse(address, { ask: 'status', follow: true })) {
      if (reply.reply === 'refused') why = `${hello.name}: ${reply.why}`;
      if (reply.reply === 'status') shown.set(address, { hello, status: reply.status, at: Date.now() });
      draw(why);
    }
    followed.delete(address);
    shown.delete(address);
    draw(why);
  };
  const followed = new Set<string>();
  const look = async (): Promise<void> => {
    const selected = await select(command.name, place);
    why = selected.kind === 'refused' ? selected.why : undefined;
    const instances = selected.kind === 'refused' ? [] : selected.instances;
    for (const instance of instances) {
      if (followed.has(instance.address)) continue;
      followed.add(instance.address);
      void follow(instance);
    }
    if (why !== undefined || display instanceof Screen) draw(why);
    timer = setTimeout(() => void look(), LOOK_MS);
  };
  let timer: NodeJS.Timeout | undefined;
  await look();
  const signal = await end;
  clearTimeout(timer);
  return 128 + constants.signals[signal];
}

function ended(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve(signal));
  });
}

/** A terminal: always the newest state, in place. */
class Screen {
  #last: readonly [readonly Shown[], string | undefined] = [[], undefined];

  constructor() {
    process.stdout.write(ENTER);
    process.on('exit', () => process.stdout.write(LEAVE));
    process.stdout.on('resize', () => this.draw(...this.#last));
  }

  draw(shown: readonly Shown[], why: string | undefined): void {
    this.#last = [shown, why];
    // A terminal without a size has zero of both.
    const columns = process.stdout.columns || COLUMNS;
    const rows = process.stdout.rows || ROWS;
    const lines = shown.length === 0 && why !== undefined ? [why.slice(0, columns)] : page(shown, columns);
    const visible = lines.slice(0, rows).map((line) => `${line}\u001b[K`);
    process.stdout.write(`\u001b[H${visible.join('\r\n')}\u001b[J`);
  }
}

/** No terminal: a new page, or a line of JSON, whenever something has changed. */
class Printout {
  readonly #command: Command;
  readonly #place: Surroundings;
  #last = '';

  constructor(command: Command, place: Surroundings) {
    this.#command = command;
    this.#place = place;
  }

  draw(shown: readonly Shown[], why: string | undefined): void {
    const states = shown.map(({ status }) => steady(status));
    const news = JSON.stringify([states, shown.length === 0 ? why : undefined]);
    if (news === this.#last) return;
    this.#last = news;
    if (this.#command.json) this.#place.print(JSON.stringify(shown.map(toJson)));
    else if (shown.length > 0) this.#place.print(`${page(shown, COLUMNS).join('\n')}\n`);
    else if (why !== undefined) this.#place.complain(why);
  }
}
