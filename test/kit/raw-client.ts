import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { onTestFailed, onTestFinished } from 'vitest';
import { readLines } from './lines.ts';
import {
  enveloped,
  type JsonObject,
  type Matches,
  type Message,
  nameOf,
  parseMessage,
  repositoryFile,
  toPredicate,
} from './messages.ts';
import { Arrivals, within } from './wait.ts';

export interface ClientOptions {
  readonly cwd?: string;
  /** Added to the environment of the tests; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface ClientExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Answers a request of the server: the result, or what it throws as an error. */
export type RequestHandler = (params: JsonObject, request: Message) => JsonObject | Promise<JsonObject>;

/**
 * An MCP client that hides nothing: it starts a command, sends what it is told, byte for byte, and keeps each
 * line of stdout in order. Each wait has a deadline, and fails at once when the command has ended. It ends with
 * the test; when the test fails, the error shows the command's stderr.
 */
export class RawClient {
  /** Each line of stdout that is a JSON object. */
  readonly received: Arrivals<Message>;
  /** The lines of stdout that are none: a proxy must not let any through. */
  readonly garbage: string[] = [];
  /** The lines of stdout as they came, without the line's end. */
  readonly lines: Buffer[] = [];
  readonly stderr: Arrivals<string>;
  readonly exited: Promise<ClientExit>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #handlers = new Map<string, RequestHandler>();
  #modern = false;
  #lastId = 0;
  #cursor = 0;

  private constructor(command: readonly string[], options: ClientOptions) {
    const [program = '', ...args] = command;
    this.received = new Arrivals(`stdout of ${command.join(' ')}`);
    this.stderr = new Arrivals(`stderr of ${command.join(' ')}`);
    this.#child = spawn(program, args, { cwd: options.cwd, env: { ...process.env, ...options.env } });
    this.exited = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    this.#child.once('close', (code, signal) => {
      this.received.end(`the command ended (${signal ?? `exit code ${code}`})`);
      this.stderr.end(`the command ended (${signal ?? `exit code ${code}`})`);
    });
    readLines(this.#child.stdout, (line) => this.#takeLine(line));
    createInterface({ input: this.#child.stderr }).on('line', (line) => this.stderr.push(line));
    // The command may end before it took everything; its exit says so.
    this.#child.stdin.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') throw error;
    });
  }

  /** Starts any command. */
  static start(command: readonly string[], options: ClientOptions = {}): RawClient {
    const client = new RawClient(command, options);
    onTestFinished(async () => {
      client.#child.kill('SIGKILL');
      await client.exited;
    });
    onTestFailed(({ task }) => {
      const stderr = client.stderr.all.slice(-50).join('\n');
      for (const error of task.result?.errors ?? [])
        error.message += `\n--- stderr of ${command.join(' ')}:\n${stderr}`;
    });
    return client;
  }

  /** Starts `mcp-dev` with these arguments. */
  static mcpDev(args: readonly string[], options: ClientOptions = {}): RawClient {
    return RawClient.start([process.execPath, repositoryFile('bin/mcp-dev.cjs'), ...args], options);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** An object becomes a line; text and bytes are sent as they are, so they need their own line's end. */
  send(message: Message | readonly Message[] | string | Buffer): void {
    const raw = typeof message === 'string' || Buffer.isBuffer(message);
    this.#child.stdin.write(raw ? message : `${JSON.stringify(message)}\n`);
  }

  /** From now on all that `request` and `notify` send, and what builds on them, carries the envelope of 2026-07-28. */
  speakModern(): void {
    this.#modern = true;
  }

  /** Sends bytes as they are, and resolves when the pipe has taken them. */
  written(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => this.#child.stdin.write(bytes, () => resolve()));
  }

  notify(method: string, params?: JsonObject): void {
    this.send({ jsonrpc: '2.0', method, ...this.#paramsOf(params) });
  }

  /** The response, be it a result or an error. The id is the next number, or the one given. */
  async request(method: string, params?: JsonObject, id: string | number = this.#nextId()): Promise<Message> {
    this.send({ jsonrpc: '2.0', id, method, ...this.#paramsOf(params) });
    return this.response(id, method);
  }

  /** The response to a request with this id, for requests that were sent by `send`. */
  async response(id: string | number, what = 'a request'): Promise<Message> {
    const matches = (message: Message) => message.id === id && message.method === undefined;
    const at = await this.received.find(matches, `response to ${what} with id ${id}`);
    return this.received.all[at] as Message;
  }

  /** The result of a request; an error response is thrown. */
  async result(method: string, params?: JsonObject): Promise<JsonObject> {
    const response = await this.request(method, params);
    if (response.result === undefined) throw new Error(`${method} failed: ${JSON.stringify(response.error)}`);
    return response.result;
  }

  callTool(name: string, args: JsonObject = {}): Promise<JsonObject> {
    return this.result('tools/call', { name, arguments: args });
  }

  /** The whole handshake; answers the result of initialize. */
  async initialize(params: JsonObject = {}): Promise<JsonObject> {
    const result = await this.result('initialize', {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'raw-client', version: '1.0.0' },
      ...params,
    });
    this.notify('notifications/initialized');
    return result;
  }

  /**
   * The next message that matches, in the order of arrival, and from where the last `next` stopped: what came
   * before the match is passed over, and the same message is never given twice.
   */
  async next(matches: Matches): Promise<Message> {
    const at = await this.received.find(toPredicate(matches), nameOf(matches), this.#cursor);
    this.#cursor = at + 1;
    return this.received.all[at] as Message;
  }

  /** From now on requests of the server with this method are answered; others are not. */
  answer(method: string, handler: RequestHandler): void {
    this.#handlers.set(method, handler);
  }

  /** The first line of stderr that matches, whether it came already or comes; `from` is a position in `stderr.all`. */
  async stderrLine(pattern: RegExp, from = 0): Promise<string> {
    const at = await this.stderr.find((line) => pattern.test(line), `line like ${pattern}`, from);
    return this.stderr.all[at] as string;
  }

  /** Closes stdin, as clients end a session, and waits for the command's exit. */
  async close(): Promise<ClientExit> {
    this.#child.stdin.end();
    return this.exit();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  exit(): Promise<ClientExit> {
    return within(
      this.exited,
      () => `the end of the command, which wrote:\n${this.stderr.all.slice(-50).join('\n')}`,
    );
  }

  /** Stops reading stdout, as a busy client does; `resume` goes on. */
  pause(): void {
    this.#child.stdout.pause();
  }

  resume(): void {
    this.#child.stdout.resume();
  }

  #paramsOf(params: JsonObject | undefined): { readonly params?: JsonObject } {
    if (this.#modern) return { params: enveloped(params) };
    return params === undefined ? {} : { params };
  }

  /** Closes stdin and stdout at once, as a client that ends does, and waits for the command's exit. */
  vanish(): Promise<ClientExit> {
    this.#child.stdin.destroy();
    this.#child.stdout.destroy();
    return this.exit();
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  #takeLine(line: Buffer): void {
    this.lines.push(line);
    const message = parseMessage(line.toString('utf8'));
    if (message === undefined) {
      this.garbage.push(line.toString('utf8'));
      return;
    }
    this.received.push(message);
    const handler = message.method === undefined ? undefined : this.#handlers.get(message.method);
    if (handler !== undefined && message.id !== undefined) void this.#reply(handler, message);
  }

  async #reply(handler: RequestHandler, request: Message): Promise<void> {
    const id = request.id ?? null;
    try {
      this.send({ jsonrpc: '2.0', id, result: await handler(request.params ?? {}, request) });
    } catch (error) {
      this.send({ jsonrpc: '2.0', id, error: { code: -32603, message: String(error) } });
    }
  }
}
