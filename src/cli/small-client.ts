import { readHead } from '../wire/head.ts';
import type { Id } from '../wire/id.ts';
import { type Line, LineSplitter } from '../wire/line.ts';
import {
  ErrorCode,
  errorResponse,
  isObject,
  type JsonObject,
  notification,
  request,
  result,
} from '../wire/message.ts';

/** What a `SmallClient` needs: a way out, and something to say to what comes unasked. */
export interface SmallClientPorts {
  send(line: Line): void;
  onNotification(method: string, params: JsonObject): void;
  /** The folder that the client works in, as a `file:` URL. */
  readonly rootUri: string;
}

/** The protocol version that it asks for. */
const PROTOCOL_VERSION = '2025-11-25';

/** A server said no. */
export class ResponseError extends Error {
  override readonly name = 'ResponseError';
}

/**
 * Just enough of an MCP client for a terminal: it shakes hands, asks and listens. A client of an SDK would
 * cost ten times our own start.
 */
export class SmallClient {
  readonly #ports: SmallClientPorts;
  readonly #splitter = new LineSplitter({ line: (line) => this.#receive(line), overflow: () => {} });
  readonly #waiting = new Map<Id, { resolve(value: JsonObject): void; reject(error: Error): void }>();
  #lastId = 0;

  constructor(ports: SmallClientPorts) {
    this.#ports = ports;
  }

  /** Bytes from the server. */
  receive(chunk: Buffer): void {
    this.#splitter.push(chunk);
  }

  /** Sends a request. Rejects with a `ResponseError` when the answer is an error. */
  request(method: string, params: JsonObject = {}): Promise<JsonObject> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#ports.send(request(id, method, params));
    });
  }

  /** The handshake; resolves with the server's answer. */
  async connect(version: string): Promise<JsonObject> {
    const answer = await this.request('initialize', {
      protocolVersion: PROTOCOL_VERSION,
      capabilities: { roots: {} },
      clientInfo: { name: 'mcp-dev', version },
    });
    this.#ports.send(notification('notifications/initialized'));
    return answer;
  }

  /** All items of a list, over all its pages. */
  async list(method: string, member: string): Promise<JsonObject[]> {
    const items: JsonObject[] = [];
    let cursor: unknown;
    do {
      const page = await this.request(method, cursor === undefined ? {} : { cursor });
      const found = page[member];
      if (Array.isArray(found)) items.push(...found.filter(isObject));
      cursor = page.nextCursor;
    } while (typeof cursor === 'string');
    return items;
  }

  #receive(line: Line): void {
    const head = readHead(line);
    if (head.kind === 'batch' || head.kind === 'invalid' || head.kind === 'blank') return;
    const message = line.parse();
    if (!isObject(message)) return;
    switch (head.kind) {
      case 'response': {
        const waiting = this.#waiting.get(head.id);
        this.#waiting.delete(head.id);
        if (isObject(message.result)) waiting?.resolve(message.result);
        else {
          const error = isObject(message.error) ? message.error : {};
          waiting?.reject(new ResponseError(String(error.message)));
        }
        return;
      }
      case 'request':
        this.#ports.send(this.#answer(head.method, head.id));
        return;
      case 'notification':
        this.#ports.onNotification(head.method, isObject(message.params) ? message.params : {});
        return;
    }
  }

  #answer(method: string, id: Id): Line {
    switch (method) {
      case 'ping':
        return result(id, {});
      case 'roots/list':
        return result(id, { roots: [{ uri: this.#ports.rootUri, name: 'project' }] });
      default:
        return errorResponse(id, ErrorCode.methodNotFound, `a terminal does not answer ${method}`);
    }
  }
}
