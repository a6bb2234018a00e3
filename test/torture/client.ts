import type { Readable, Writable } from 'node:stream';
import { readLines } from '../kit/lines.ts';
import { type JsonObject, type Message, parseMessage } from '../kit/messages.ts';
import { type Asked, judge, type Kind } from './judge.ts';
import { between, choose, type Random } from './random.ts';

/** Faults of which the text is kept; beyond, they are only counted. */
const FAULTS_SHOWN = 20;
/** After a failure a place stays empty so long, in ms, or a server that is down would be asked without an end. */
const PAUSE_MS = 20;
const HANDSHAKE = 'handshake';
const DURATIONS = { short: 10, middle: 5, long: 1 } as const;
/** What takes long is still in flight at the end of a reload, and drained. */
const LONGEST_MS = { short: 60, middle: 300, long: 1500 } as const;
const MIX = { look: 45, work: 20, read: 20, list: 10, ping: 5 } as const;

export interface Counts {
  sent: number;
  right: number;
  stale: number;
  /** By reason. */
  failed: Record<string, number>;
  /** Requests with a second answer. */
  doubled: number;
  wrong: number;
}

/** Keeps a number of requests in flight, and judges each line that comes back; it remembers only what is open. */
export class TortureClient {
  readonly counts: Counts = { sent: 0, right: 0, stale: 0, failed: {}, doubled: 0, wrong: 0 };
  readonly faults: string[] = [];
  /** Calls of `work` that failed with the word that they did not reach the server. */
  readonly notExecuted: number[] = [];
  /** The newest version that an answer without a mark has shown. */
  newest = 0;
  readonly #stdin: Writable;
  readonly #random: Random;
  readonly #reasons: ReadonlySet<string>;
  readonly #open = new Map<string, Asked>();
  #isFilling = false;
  #inFlight = 0;
  #connected: (() => void) | undefined;

  constructor(stdin: Writable, stdout: Readable, random: Random, reasons: ReadonlySet<string>) {
    this.#stdin = stdin;
    this.#random = random;
    this.#reasons = reasons;
    readLines(
      stdout,
      (line) => this.#take(line.toString()),
      (rest) => this.#fault('wrong', `an unfinished line at the end: ${rest}`),
    );
  }

  /** The handshake. */
  async connect(): Promise<void> {
    const params = {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'torture', version: '1' },
    };
    const answered = new Promise<void>((resolve) => {
      this.#connected = resolve;
    });
    this.#stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: HANDSHAKE, method: 'initialize', params })}\n`);
    await answered;
    this.#stdin.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);
  }

  /** From now on so many requests are in flight; 0 ends it, what is open stays so. */
  keepInFlight(inFlight: number): void {
    this.#inFlight = inFlight;
    this.#isFilling = true;
    while (this.#open.size < this.#inFlight) this.#askAny();
    this.#isFilling = false;
  }

  /** Sends one more request. */
  ask(kind: Kind, ms: number, args: JsonObject = {}): void {
    const nonce = this.counts.sent;
    const _meta = { torture: { nonce, ms } };
    const [method, params] = {
      look: ['tools/call', { name: 'look', arguments: args, _meta }],
      work: ['tools/call', { name: 'work', arguments: args, _meta }],
      die: ['tools/call', { name: 'die', arguments: args, _meta }],
      read: ['resources/read', { uri: 'torture:///version', _meta }],
      list: ['tools/list', { _meta }],
      ping: ['ping', { _meta }],
    }[kind] as [string, JsonObject];
    this.counts.sent += 1;
    const id = idOf(nonce);
    this.#open.set(JSON.stringify(id), { nonce, kind, newest: this.newest });
    this.#stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
  }

  get open(): readonly Asked[] {
    return [...this.#open.values()];
  }

  /** What should not have happened; `what` says in which count it goes. */
  #fault(what: 'doubled' | 'wrong', text: string): void {
    this.counts[what] += 1;
    if (this.faults.length < FAULTS_SHOWN) this.faults.push(`${what}: ${text}`);
  }

  #askAny(): void {
    const kind = choose(this.#random, MIX);
    this.ask(kind, between(this.#random, 5, LONGEST_MS[choose(this.#random, DURATIONS)]));
  }

  #take(line: string): void {
    const message = parseMessage(line);
    if (message === undefined) this.#fault('wrong', `no message: ${line.slice(0, 200)}`);
    else if (message.id !== undefined) this.#takeAnswer(message, line);
  }

  #takeAnswer(message: Message, line: string): void {
    if (message.id === HANDSHAKE && this.#connected !== undefined) {
      this.#connected();
      this.#connected = undefined;
      return;
    }
    const key = JSON.stringify(message.id);
    const asked = this.#open.get(key);
    if (asked === undefined) {
      const what = this.#wasAsked(message.id) ? 'doubled' : 'wrong';
      this.#fault(what, `nobody waits for ${line.slice(0, 300)}`);
      return;
    }
    this.#open.delete(key);
    const failed = this.#settle(asked, message, line);
    if (this.#isFilling) return;
    if (failed) setTimeout(() => this.keepInFlight(this.#inFlight), PAUSE_MS);
    else this.keepInFlight(this.#inFlight);
  }

  /** Whether the request failed. */
  #settle(asked: Asked, message: Message, line: string): boolean {
    const judged = judge(asked, message, this.#reasons);
    switch (judged.outcome) {
      case 'wrong':
        this.#fault('wrong', `${judged.why}, for ${JSON.stringify(asked)}: ${line.slice(0, 400)}`);
        return true;
      case 'failed':
        this.counts.failed[judged.reason] = (this.counts.failed[judged.reason] ?? 0) + 1;
        if (asked.kind === 'work' && !judged.mayHaveExecuted) this.notExecuted.push(asked.nonce);
        return true;
      case 'right':
        this.counts.right += 1;
        if (judged.stale) this.counts.stale += 1;
        else this.newest = Math.max(this.newest, judged.version ?? 0);
        return false;
    }
  }

  #wasAsked(id: Message['id']): boolean {
    const nonce = typeof id === 'string' ? Number(id) + 1 : id;
    return typeof nonce === 'number' && nonce < this.counts.sent && idOf(nonce) === id;
  }
}

/** Numbers and texts of the same digits in turn: 0, "0", 2, "2", …, which are different ids. */
function idOf(nonce: number): number | string {
  return nonce % 2 === 0 ? nonce : String(nonce - 1);
}
