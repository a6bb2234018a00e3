import { spawn } from 'node:child_process';
import { once } from 'node:events';

const INITIALIZE = {
  method: 'initialize',
  params: {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'bench', version: '1.0.0' },
  },
  jsonrpc: '2.0',
  id: 0,
};

/** One line with the members in the order that SDK clients write them in. */
export function lineOf(message) {
  return Buffer.from(`${JSON.stringify(message)}\n`);
}

export const HELLO = lineOf(INITIALIZE);

/** A request for an answer of `answerBytes`, in a line of `bytes` (at least 130); both count the newline. */
export function call(id, answerBytes, bytes = 200) {
  const message = (text) =>
    lineOf({
      method: 'tools/call',
      params: { name: 'echo', arguments: { bytes: answerBytes, text } },
      jsonrpc: '2.0',
      id,
    });
  return message('x'.repeat(bytes - message('').length));
}

/** A started program that is spoken to over its stdin and stdout. Its stderr is ours. */
export class Connection {
  #child;
  #wanted = { bytes: 0, chunks: [], resolve: undefined };

  constructor({ command, args, cwd, env }) {
    this.#child = spawn(command, args, { cwd, env, stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.on('error', (error) => {
      throw error;
    });
    // What is missing is missed by whoever waits for an answer: an `exchange` that never ends.
    this.#child.stdin.on('error', () => {});
    this.#child.stdout.on('data', (chunk) => this.#take(chunk));
    this.#child.on('exit', (code, signal) => {
      if (this.#wanted.resolve !== undefined) throw new Error(`${command} ended early: ${code ?? signal}`);
    });
  }

  get pid() {
    return this.#child.pid;
  }

  /** Writes `request` and waits until `bytes` bytes came back; resolves with them as they came, in chunks. */
  exchange(request, bytes) {
    return new Promise((resolve) => {
      this.#wanted = { bytes, chunks: [], resolve };
      this.#child.stdin.write(request);
    });
  }

  /** The handshake. What comes back differs in length, so that the first chunk counts as the answer. */
  async greet() {
    await this.exchange(HELLO, 1);
    this.#child.stdin.write(lineOf({ method: 'notifications/initialized', jsonrpc: '2.0' }));
  }

  async close() {
    const closed = once(this.#child, 'close');
    this.#child.stdin.end();
    await closed;
  }

  #take(chunk) {
    const wanted = this.#wanted;
    if (wanted.resolve === undefined) throw new Error(`nobody asked for ${chunk.toString('utf8', 0, 200)}`);
    wanted.chunks.push(chunk);
    wanted.bytes -= chunk.length;
    if (wanted.bytes > 0) return;
    this.#wanted = { bytes: 0, chunks: [], resolve: undefined };
    wanted.resolve(wanted.chunks);
  }
}
