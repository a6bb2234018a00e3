import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { readHead } from '../wire/head.ts';
import { type Line, LineSplitter } from '../wire/line.ts';
import { isObject, type JsonObject } from '../wire/message.ts';

const NEWLINE = Buffer.from('\n');

/** A request that was sent, and what came back. */
export interface Exchange {
  readonly method: string;
  /** The response as it was on the wire; undefined as long as there is none. */
  response: JsonObject | undefined;
}

export interface LineTransportPorts {
  write(bytes: Buffer): void;
  /** A line that is no message of the protocol. */
  onStray(text: string): void;
  /** A response to no request of ours, or to one that was answered already. */
  onSurplus(response: JsonObject, exchange: Exchange | undefined): void;
}

/**
 * The transport of the official clients, to bytes that somebody else carries: those of a process, or of a
 * `DevServer`. It looks like stdio to them, and keeps what was on the wire, as they validate and change what they hand
 * on. It fits the interfaces of both SDKs.
 */
export class LineTransport {
  onmessage?: (message: JSONRPCMessage) => void;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  /** With `pid` it tells the client of the SDK 2.x that this is stdio. */
  readonly stderr = null;
  readonly pid = null;
  readonly #ports: LineTransportPorts;
  readonly #splitter = new LineSplitter({ line: (line) => this.#take(line), overflow: () => {} });
  readonly #exchanges = new Map<unknown, Exchange>();
  #closed = false;

  constructor(ports: LineTransportPorts) {
    this.#ports = ports;
  }

  async start(): Promise<void> {}

  async send(message: object): Promise<void> {
    if (this.#closed) throw new Error('the connection is closed');
    const { id, method } = message as { id?: unknown; method?: unknown };
    if (id !== undefined && typeof method === 'string')
      this.#exchanges.set(id, { method, response: undefined });
    this.#ports.write(Buffer.from(`${JSON.stringify(message)}\n`));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.onclose?.();
  }

  /** Bytes from the server. */
  receive(chunk: Buffer): void {
    this.#splitter.push(chunk);
  }

  /** There will be no more bytes; what came last is a line even without its newline. */
  finish(): void {
    this.receive(NEWLINE);
  }

  /** All requests so far, in their order. */
  get exchanges(): readonly Exchange[] {
    return [...this.#exchanges.values()];
  }

  /** The last request of this method. */
  last(method: string): Exchange | undefined {
    return this.exchanges.findLast((exchange) => exchange.method === method);
  }

  #take(line: Line): void {
    const head = readHead(line);
    if (head.kind === 'blank') return;
    const message = line.parse();
    if (head.kind === 'invalid' || head.kind === 'batch' || !isObject(message)) {
      this.#ports.onStray(line.text());
      return;
    }
    if (head.kind === 'response') {
      const exchange = this.#exchanges.get(message.id);
      if (exchange === undefined || exchange.response !== undefined) {
        this.#ports.onSurplus(message, exchange);
      } else exchange.response = message;
    }
    this.onmessage?.(message as JSONRPCMessage);
  }
}
