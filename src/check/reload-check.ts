import { stripVTControlCharacters } from 'node:util';
import { type StopPolicy, sessionEndPolicy } from '../generation/stop.ts';
import { Journal } from '../journal/journal.ts';
import { DevServer } from '../reload/dev-server.ts';
import { Reporter } from '../report/reporter.ts';
import { wordDifferences } from '../report/wording.ts';
import { type Catalogue, compareCatalogues, LISTS, type ListMethod } from '../session/catalogue.ts';
import { isObject, type JsonObject } from '../wire/message.ts';
import type { Attempt } from './attempt.ts';
import { type Bench, LONGEST_MS, REQUEST_MS } from './bench.ts';
import { LineTransport } from './line-transport.ts';
import { readList } from './lists.ts';
import { type Bounds, explain, type OfficialClient } from './official-client.ts';
import { type Era, type Evidence, failed, passed, type Verdict } from './report.ts';

/** Requests that are on their way when the reload begins, how often another one joins them, and how many wait at most. */
const AT_ONCE = 5;
const EVERY_MS = 20;
const MOST_WAITING = 20;
/** How long a client waits before it tries to shake hands again. */
const AGAIN_MS = 250;
const LAST_LINES = 20;
const STRAY_WIDTH = 300;

/**
 * The server behind a session that adds nothing, with the official client of an era in front of it: after a reload
 * of the same source its lists must be the same, and no request that was made meanwhile may be lost.
 */
export class ReloadCheck {
  readonly #bench: Bench;
  readonly #era: Era;
  /** Stdout carried nothing but messages before; otherwise another check has said so. */
  readonly #wasClean: boolean;
  readonly #lists: readonly ListMethod[];
  #client: OfficialClient;
  #transport: LineTransport;
  readonly #server: DevServer;
  readonly #journal: Journal;
  #traffic: Traffic | undefined;
  /** The first process that ended by itself; a sentence without a full stop. */
  #crash: string | undefined;
  /** The first line on stdout that is no message. */
  #stray: string | undefined;

  private constructor(
    bench: Bench,
    { era, stray }: Attempt,
    lists: readonly ListMethod[],
    server: DevServer,
    journal: Journal,
  ) {
    this.#bench = bench;
    this.#era = era;
    this.#wasClean = stray.count === 0;
    this.#lists = lists;
    this.#client = bench.client(era);
    this.#server = server;
    this.#journal = journal;
    this.#transport = this.#newTransport();
    journal.listen((event) => {
      if (event.event === 'crash') this.#crash ??= event.error.summary;
      if (event.event === 'garbage') this.#stray ??= event.text;
    });
  }

  /** `before` is what was judged already, `lists` are those that the server has. Nothing is started yet. */
  static async open(bench: Bench, before: Attempt, lists: readonly ListMethod[]): Promise<ReloadCheck> {
    const { root } = bench.config;
    const journal = new Journal();
    const reporter = new Reporter({
      root,
      verbosity: 'quiet',
      colors: undefined,
      stderr: { write: () => {} },
      log: undefined,
      logs: journal.logs,
    });
    let toClient: (bytes: Buffer) => void = () => {};
    const client = {
      write: (bytes: Buffer) => {
        // An answer comes within the server's own turn, and the client may ask on at once.
        setImmediate(() => toClient(bytes));
        return true;
      },
      pause: () => {},
      resume: () => {},
    };
    const server = await DevServer.open(
      // It was built already, and nothing but the reload that is asked for may happen.
      {
        ...bench.config,
        build: undefined,
        transparent: true,
        tools: false,
        standby: 'off',
        logFile: undefined,
      },
      { client, serverStderr: bench.onStderr, reporter, journal, recorder: undefined },
    );
    const check = new ReloadCheck(bench, before, lists, server, journal);
    toClient = (bytes) => check.#transport.receive(bytes);
    return check;
  }

  /** Starts the server, reloads it, and judges. To be called once, and `close` after it. */
  async run(): Promise<Verdict> {
    const { running } = this.#bench;
    running.add(this.#server);
    const started = this.#firstReload();
    this.#server.start();
    const complaint = await this.#connectSoon();
    if (complaint !== undefined) return this.#failed(`it did not shake hands once more (${complaint})`);
    const { ok, error } = await started;
    if (!ok) return this.#failed(`it did not start once more: ${error?.summary}`);

    const before = await this.#read();
    if (typeof before === 'string') return this.#failed(before);
    const sent = this.#transport.exchanges.length;
    const traffic = new Traffic(
      this.#client,
      this.#lists,
      // They may be held, and then still have to be answered.
      this.#bounds(this.#bench.config.hold + REQUEST_MS),
    );
    this.#traffic = traffic;
    const outcome = await this.#server.reload('mcp-dev check');
    await traffic.end();
    const lost = this.#lost(sent);
    if (outcome.event !== 'ready') {
      const why = outcome.event === 'pending' ? 'it did not end' : outcome.failure.summary;
      return this.#failed(`the reload failed, although nothing changed: ${why}`);
    }
    if (lost !== undefined) return this.#failed(lost);
    const after = await this.#read();
    if (typeof after === 'string') return this.#failed(`after the reload ${after}`);
    const crash = this.#crash;
    if (crash !== undefined) {
      return this.#failed(
        `${crash}, though its requests were answered by another process: let it run until its stdin is closed`,
      );
    }
    if (this.#stray !== undefined && this.#wasClean) {
      const line = stripVTControlCharacters(this.#stray).slice(0, STRAY_WIDTH);
      return failed(
        'it printed a line on stdout that is no message, which it had not done before the reload: print to stderr instead',
        [{ source: 'stdout', text: line }],
      );
    }
    const differences = compareCatalogues(before, after);
    if (differences.length === 0) return passed(`${traffic.sent} requests meanwhile`);
    return this.#failed(
      `after a reload of the same source its lists differ (${wordDifferences(differences)}): let nothing in them ` +
        'depend on the time, on chance, on the process or on what ran before',
    );
  }

  /** What there is to show of a failure. */
  evidence(): readonly Evidence[] {
    const lines = this.#journal.logs.tail({ source: 'server', lines: LAST_LINES });
    const text = stripVTControlCharacters(lines.map((line) => line.text).join('\n'));
    return text.trim() === '' ? [] : [{ source: 'stderr', text }];
  }

  /** Ends the session and all of its processes. */
  async close(): Promise<void> {
    this.#traffic?.stop();
    await this.#client.close().catch(() => {});
    await this.#server.close(this.#endPolicy());
    this.#bench.running.delete(this.#server);
  }

  #endPolicy(): StopPolicy {
    const { deadline, config } = this.#bench;
    const isUrgent = deadline.cause !== undefined;
    return sessionEndPolicy(config.signal, isUrgent ? 'sigterm' : 'client-closed');
  }

  #firstReload(): Promise<{ readonly ok: boolean; readonly error?: { readonly summary: string } }> {
    return new Promise((resolve) => {
      const stop = this.#journal.listen((event) => {
        if (event.event !== 'reload') return;
        stop();
        resolve(event);
      });
    });
  }

  #newTransport(): LineTransport {
    // What does not belong there does not come through the session.
    const ports = { onStray: () => {}, onSurplus: () => {} };
    return new LineTransport({ write: (bytes) => this.#server.receive(bytes), ...ports });
  }

  /**
   * Shakes hands; answers what the official client does not like in the end. A server that starts slowly is not there
   * yet when a client that tries an era wants its answer: then it is asked again.
   */
  async #connectSoon(): Promise<string | undefined> {
    const { config, deadline } = this.#bench;
    const timeout = Math.min(config.readyTimeout, LONGEST_MS);
    const until = performance.now() + timeout;
    for (;;) {
      const wasStarted = this.#isStarted;
      const complaint = await this.#client
        .connect(this.#transport, this.#bounds(timeout))
        .then(() => undefined, explain);
      if (complaint === undefined || wasStarted) return complaint;
      if (performance.now() > until || deadline.cause !== undefined) return complaint;
      await this.#client.close().catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      this.#client = this.#bench.client(this.#era);
      this.#transport = this.#newTransport();
    }
  }

  /** The first start is over, well or not. */
  get #isStarted(): boolean {
    return this.#journal.reloads.length > 0;
  }

  /** All lists, or why one of them could not be read. */
  async #read(): Promise<Catalogue | string> {
    const catalogue: Catalogue = new Map();
    for (const method of this.#lists) {
      const list = await readList(this.#client, this.#transport, method, this.#bounds(REQUEST_MS));
      if (list.kind === 'failed') return list.why;
      if (list.kind === 'no-method') return `${method} is not known any more`;
      catalogue.set(method, withoutDuplicates(method, list.items));
    }
    return catalogue;
  }

  /** What became of the requests since, if something did that should not. */
  #lost(since: number): string | undefined {
    const exchanges = this.#transport.exchanges.slice(since);
    const silent = exchanges.filter(({ response }) => response === undefined);
    if (silent[0] !== undefined) {
      return `${silent.length} of ${exchanges.length} requests that met the reload were never answered (${silent[0].method}): answer requests that come at the same time, and all of them before the process ends`;
    }
    const refused = exchanges.find(({ response }) => isObject(response?.error));
    const error = refused?.response?.error as JsonObject | undefined;
    if (refused === undefined || error === undefined) return undefined;
    return `a request that met the reload failed (${refused.method}: ${error.code} ${error.message}): answer requests that come at the same time, and all of them before the process ends`;
  }

  #bounds(timeout: number): Bounds {
    return { timeout, signal: this.#bench.deadline.signal };
  }

  #failed(message: string): Verdict {
    return failed(message, this.evidence());
  }
}

/** The first item of each name: that some are listed twice is for another check to say. */
function withoutDuplicates(method: ListMethod, items: readonly JsonObject[]): readonly JsonObject[] {
  const { key } = LISTS[method];
  return items.filter((item, at) => items.findIndex((one) => one[key] === item[key]) === at);
}

/** Requests that change nothing, one after another, for as long as a reload takes. */
class Traffic {
  readonly #client: OfficialClient;
  readonly #lists: readonly ListMethod[];
  readonly #bounds: Bounds;
  readonly #answers: Promise<void>[] = [];
  #waiting = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(client: OfficialClient, lists: readonly ListMethod[], bounds: Bounds) {
    this.#client = client;
    this.#lists = lists;
    this.#bounds = bounds;
    for (let count = 0; count < AT_ONCE; count++) this.#ask();
    this.#timer = setInterval(() => this.#ask(), EVERY_MS);
  }

  get sent(): number {
    return this.#answers.length;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** No more; resolves when the last has its answer, or will not get one. */
  async end(): Promise<void> {
    this.stop();
    await Promise.all(this.#answers);
  }

  #ask(): void {
    if (this.#waiting === MOST_WAITING) return;
    const method = this.#lists[this.#answers.length % this.#lists.length];
    const asked =
      method === undefined
        ? this.#client.ping?.(this.#bounds)
        : this.#client.list(method, undefined, this.#bounds);
    if (asked === undefined) return;
    this.#waiting++;
    // What came is looked at on the wire.
    this.#answers.push(asked.catch(() => {}).finally(() => this.#waiting--));
  }
}
