import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const CLIENT = {
  protocolVersion: '2025-06-18',
  capabilities: {},
  clientInfo: { name: 'bench', version: '1.0.0' },
};
/** Lines of stderr that explain a failure. */
const LAST_LINES = 20;

/** A client of a server that it started: it asks, and waits for answers and notifications. */
export class Session {
  #child;
  #lastId = 0;
  #asked = new Map();
  #awaited = [];
  #stderr = [];

  /** `onStderr` gets each line of stderr. */
  constructor({ command, args, cwd, env }, onStderr = () => {}) {
    const child = spawn(command, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    child.on('error', (error) => {
      throw error;
    });
    // Whoever waits for an answer is told by the exit.
    child.stdin.on('error', () => {});
    createInterface({ input: child.stdout }).on('line', (line) => this.#take(JSON.parse(line)));
    createInterface({ input: child.stderr }).on('line', (line) => {
      this.#stderr.push(line);
      this.#stderr.splice(0, this.#stderr.length - LAST_LINES);
      onStderr(line);
    });
    child.on('close', (code, signal) => {
      if (this.#asked.size === 0 && this.#awaited.length === 0) return;
      throw new Error(`${command} ${args.join(' ')} ended (${code ?? signal}):\n${this.#stderr.join('\n')}`);
    });
  }

  get pid() {
    return this.#child.pid;
  }

  request(method, params) {
    const id = ++this.#lastId;
    this.#send({ method, params, jsonrpc: '2.0', id });
    return new Promise((resolve, reject) => this.#asked.set(id, { resolve, reject }));
  }

  /** The next notification with this method. */
  notification(method) {
    return new Promise((resolve) => this.#awaited.push({ method, resolve }));
  }

  /** The handshake and the list of the tools, one after the other as clients do it. */
  async greet() {
    await this.request('initialize', CLIENT);
    this.#send({ method: 'notifications/initialized', jsonrpc: '2.0' });
    return await this.request('tools/list', {});
  }

  /** What a tool answers: its text. */
  async call(name, args = {}) {
    const { content, isError } = await this.request('tools/call', { name, arguments: args });
    if (isError) throw new Error(`${name} failed: ${content[0].text}`);
    return content[0].text;
  }

  /** Closes stdin and waits for the end. */
  async close() {
    await this.#ended(() => this.#child.stdin.end());
  }

  /** Ends it the way that runners do. */
  async kill() {
    await this.#ended(() => this.#child.kill('SIGTERM'));
  }

  async #ended(end) {
    const closed = once(this.#child, 'close');
    end();
    await closed;
  }

  #send(message) {
    this.#child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  #take(message) {
    if (message.id === undefined) {
      const all = this.#awaited;
      this.#awaited = all.filter(({ method }) => method !== message.method);
      for (const { method, resolve } of all) if (method === message.method) resolve();
      return;
    }
    const asked = this.#asked.get(message.id);
    if (asked === undefined) throw new Error(`nobody waits for ${JSON.stringify(message).slice(0, 300)}`);
    this.#asked.delete(message.id);
    if (message.error === undefined) asked.resolve(message.result);
    else asked.reject(new Error(message.error.message));
  }
}
