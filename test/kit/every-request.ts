import { homedir } from 'node:os';
import { resolve } from '../../src/cli/resolve.ts';
import { run } from '../../src/cli/run.ts';
import { flushed } from '../../src/cli/stdio.ts';
import { DevServer } from '../../src/reload/dev-server.ts';
import { readHead } from '../../src/wire/head.ts';
import { type Line, LineSplitter } from '../../src/wire/line.ts';

/*
 * `mcp-dev` that reloads before every request: a program of its own, to be started in place of `bin/mcp-dev.cjs`.
 * Each request finds a reload that has just begun, and is answered by a generation that nobody has used; the first
 * one finds the first start. How many requests came is said on stderr.
 */

const receive = DevServer.prototype.receive;
/** States in which a reload, or another start, will end without our doing. */
const UNDER_WAY = new Set(['building', 'starting', 'restarting']);
const NEWLINE = Buffer.from('\n');

class EveryRequest {
  readonly #server: DevServer;
  readonly #splitter: LineSplitter;
  /** Lines are passed on one after the other. */
  #passing = Promise.resolve();
  #requests = 0;

  constructor(server: DevServer) {
    this.#server = server;
    this.#splitter = new LineSplitter({
      line: (line) => {
        this.#passing = this.#passing.then(() => this.#pass(line));
      },
      overflow: (bytes) => {
        throw new Error(`a line of ${bytes} bytes`);
      },
    });
  }

  push(chunk: Buffer): void {
    this.#splitter.push(chunk);
  }

  async #pass(line: Line): Promise<void> {
    if (readHead(line).kind === 'request') await this.#reload();
    receive.call(this.#server, Buffer.concat([line.bytes(), NEWLINE]));
  }

  /** Begins a reload of its own for this request: one that is on its way already is another request's. */
  async #reload(): Promise<void> {
    this.#requests += 1;
    process.stderr.write(`request ${this.#requests}\n`);
    if (this.#requests === 1) return;
    while (UNDER_WAY.has(this.#server.status().state)) await new Promise((next) => setTimeout(next, 1));
    void this.#server.reload(`request ${this.#requests}`);
  }
}

const sessions = new WeakMap<DevServer, EveryRequest>();

DevServer.prototype.receive = function (chunk) {
  const session = sessions.get(this) ?? new EveryRequest(this);
  sessions.set(this, session);
  session.push(chunk);
};

const { env } = process;
const resolved = await resolve(process.argv.slice(2), {
  cwd: process.cwd(),
  env,
  home: homedir(),
  stdoutIsTTY: false,
  stderrIsTTY: false,
});
if (resolved.kind !== 'run') throw new Error(`this is no session: ${resolved.kind}`);
const code = await run(resolved.config, () => {});
await flushed(500);
process.exit(code);
