import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { type Matches, type Message, nameOf, repositoryFile, toPredicate } from './messages.ts';
import { alive } from './processes.ts';
import { Arrivals, within } from './wait.ts';

/** The program to start: `[node, fixtures/puppet/server.mjs]`. */
export const PUPPET = [process.execPath, repositoryFile('fixtures/puppet/server.mjs')] as const;

/** A report of a puppet; fixtures/puppet/README.md lists them. */
export interface PuppetEvent {
  readonly event: string;
  readonly [key: string]: unknown;
}

export interface Started extends PuppetEvent {
  readonly pid: number;
  readonly generation?: string;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** What a puppet can be told to do; fixtures/puppet/README.md lists it. */
export interface PuppetCommand {
  readonly do: string;
  readonly [key: string]: unknown;
}

/** One started puppet. Each wait has a deadline, and fails at once when the puppet is gone. */
export class Puppet {
  readonly started: Started;
  readonly events: Arrivals<PuppetEvent>;
  /** Resolves when the process has ended or is about to: all its reports are in. */
  readonly gone: Promise<void>;
  readonly #socket: Socket;
  readonly #helpers: number[] = [];
  #commands = 0;

  constructor(started: Started, events: Arrivals<PuppetEvent>, gone: Promise<void>, socket: Socket) {
    this.started = started;
    this.events = events;
    this.gone = gone;
    this.#socket = socket;
  }

  get pid(): number {
    return this.started.pid;
  }

  /** Each message that came on its stdin so far. */
  get messages(): Message[] {
    return this.events.all
      .filter(({ event }) => event === 'received')
      .map(({ message }) => message as Message);
  }

  /** What it saw that no correct client does. */
  get violations(): string[] {
    return this.events.all.filter(({ event }) => event === 'violation').map(({ text }) => String(text));
  }

  /** The first message from its stdin that matches, whether it came already or comes. */
  async received(matches: Matches): Promise<Message> {
    const predicate = toPredicate(matches);
    const found = await this.event(
      'received',
      ({ message }) => predicate(message as Message),
      nameOf(matches),
    );
    return found.message as Message;
  }

  /** The first report of this kind that matches, whether it came already or comes. */
  async event(
    kind: string,
    matches: (event: PuppetEvent) => boolean = () => true,
    what = '',
  ): Promise<PuppetEvent> {
    const at = await this.events.find((event) => event.event === kind && matches(event), `${kind} ${what}`);
    return this.events.all[at] as PuppetEvent;
  }

  /** Resolves when it was carried out; `exit` and `crash` when the puppet is gone. */
  async do(command: PuppetCommand): Promise<void> {
    this.#commands += 1;
    const seq = this.#commands;
    this.#socket.write(`${JSON.stringify({ ...command, seq })}\n`);
    if (command.do === 'exit' || command.do === 'crash')
      await within(this.gone, () => `the end by ${command.do}`);
    else await this.event('done', (event) => event.seq === seq, JSON.stringify(command).slice(0, 200));
  }

  /**
   * Resolves when everything is reported that happened before the call. Reports and answers come on different
   * ways, so `messages` and `violations` may lack what is answered already.
   */
  caughtUp(): Promise<void> {
    return this.do({ do: 'report' });
  }

  /** Starts a process that stays; answers its pid. See fixtures/puppet/helpers.mjs. */
  async fork(
    kind: 'group' | 'setsid' | 'double',
    more: { readonly stubborn?: boolean; readonly bare?: boolean; readonly pipes?: boolean } = {},
  ): Promise<number> {
    const seen = this.events.all.length;
    await this.do({ do: 'fork', kind, ...more });
    const at = await this.events.find(({ event }) => event === 'forked', `forked ${kind}`, seen);
    const pid = Number(this.events.all[at]?.pid);
    this.#helpers.push(pid);
    return pid;
  }

  /** For the end of a failed test: nothing stays behind. */
  endAll(): void {
    const own = this.#socket.destroyed ? [] : [this.pid];
    for (const pid of [...own, ...this.#helpers].filter(alive)) process.kill(pid, 'SIGKILL');
    this.#socket.destroy();
  }
}

/** Where the puppets of a test report. It ends with the test, and with it every puppet that is left. */
export class PuppetHub {
  readonly socket: string;
  /** In the order of their starts. */
  readonly puppets = new Arrivals<Puppet>('the started puppets');
  readonly #server: Server;

  private constructor(socket: string) {
    this.socket = socket;
    this.#server = createServer((connection) => this.#greet(connection));
  }

  static async open(): Promise<PuppetHub> {
    // A folder of its own, with a short name: the path of a unix socket has about 100 characters at most.
    const folder = mkdtempSync(join(tmpdir(), 'hub-'));
    const hub = new PuppetHub(join(folder, 's'));
    await new Promise<void>((resolve) => hub.#server.listen(hub.socket, resolve));
    onTestFinished(() => {
      for (const puppet of hub.puppets.all) puppet.endAll();
      hub.#server.close();
      rmSync(folder, { recursive: true, force: true });
    });
    return hub;
  }

  /** The variables that tie a puppet to this hub, and to its configuration file if there is one. */
  env(configFile?: string): Record<string, string> {
    return { PUPPET_SOCKET: this.socket, ...(configFile === undefined ? {} : { PUPPET_CONFIG: configFile }) };
  }

  /** The nth puppet that was ever started, from 1. */
  async next(n: number): Promise<Puppet> {
    await this.puppets.find((puppet) => puppet === this.puppets.all[n - 1], `puppet number ${n}`);
    return this.puppets.all[n - 1] as Puppet;
  }

  #greet(connection: Socket): void {
    const events = new Arrivals<PuppetEvent>('the reports of a puppet');
    const gone = new Promise<void>((resolve) => {
      connection.once('close', () => {
        events.end('the puppet is gone');
        resolve();
      });
    });
    // A puppet that is killed may leave a command unread.
    const onError = (error: NodeJS.ErrnoException): void => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') throw error;
    };
    connection.on('error', onError);
    // Errors of the input are the interface's too.
    const lines = createInterface({ input: connection, crlfDelay: Number.POSITIVE_INFINITY });
    lines.on('error', onError);
    lines.on('line', (line) => {
      const event = JSON.parse(line) as PuppetEvent;
      events.push(event);
      if (event.event === 'started') {
        this.puppets.push(new Puppet(event as Started, events, gone, connection));
      }
    });
  }
}
