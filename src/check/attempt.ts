import { stripVTControlCharacters } from 'node:util';
import { describeExit, type Launch } from '../generation/exit.ts';
import { isObject } from '../wire/message.ts';
import { BareProcess } from './bare-process.ts';
import { type Bench, LONGEST_MS } from './bench.ts';
import { OVER } from './deadline.ts';
import { type Exchange, LineTransport } from './line-transport.ts';
import { explain, type Introduction, type OfficialClient } from './official-client.ts';
import type { Era, Evidence } from './report.ts';

/** What came of a handshake; `why` is a sentence without a full stop. */
export type Outcome =
  | { readonly kind: 'connected'; readonly introduction: Introduction }
  /** It answered that it does not speak this era. */
  | { readonly kind: 'refused'; readonly why: string }
  /** It answered, and the official client can't use the answer. */
  | { readonly kind: 'broken'; readonly why: string }
  | { readonly kind: 'silent'; readonly why: string }
  /** Its process ended, or could not be started. */
  | { readonly kind: 'ended'; readonly why: string }
  /** The run was over first. */
  | { readonly kind: 'over' };

/** Lines on stdout that are no messages, of which the first are kept, without colours. */
interface Stray {
  count: number;
  readonly first: string[];
}

const STRAY_SHOWN = 3;
const STRAY_WIDTH = 300;
/** What a process wrote before its end may be read only after that is known. */
const LAST_OUTPUT_MS = 100;

/** A process of the server, and the official client of an era that was connected to it. */
export class Attempt {
  readonly era: Era;
  readonly process: BareProcess;
  readonly client: OfficialClient;
  readonly transport: LineTransport;
  readonly stray: Stray = { count: 0, first: [] };
  /** What was answered that nobody waited for; each is a sentence without a full stop. */
  readonly surplus = new Set<string>();
  readonly #bench: Bench;

  /** Starts a process, which lives until `close`. */
  constructor(bench: Bench, era: Era, launch: Launch) {
    this.era = era;
    this.client = bench.client(era);
    this.#bench = bench;
    this.process = new BareProcess(launch, {
      onStdout: (chunk) => this.transport.receive(chunk),
      onStderr: bench.onStderr,
    });
    this.transport = new LineTransport({
      write: (bytes) => this.process.write(bytes),
      onStray: (text) => this.#noteStray(text),
      onSurplus: ({ id }, exchange) => this.surplus.add(wordSurplus(id, exchange)),
    });
    bench.running.add(this.process);
    void this.process.exited.then(() => {
      setTimeout(() => void this.transport.close(), LAST_OUTPUT_MS).unref();
    });
  }

  /** Shakes hands with it, for so long. */
  async connect(timeoutMs: number): Promise<Outcome> {
    const { signal } = this.#bench.deadline;
    const bounds = { timeout: Math.min(timeoutMs, LONGEST_MS), signal };
    const connected = this.client.connect(this.transport, bounds).then(
      (introduction): Outcome => ({ kind: 'connected', introduction }),
      (error): Outcome => this.#refusal(explain(error), timeoutMs),
    );
    const outcome = await this.#bench.deadline.race(connected);
    return outcome === OVER ? { kind: 'over' } : outcome;
  }

  /** Reads what its process printed last. */
  async readOut(): Promise<void> {
    await this.process.lastOutput();
    this.transport.finish();
  }

  /** What there is to show of a check that failed. */
  evidence(): readonly Evidence[] {
    const { lastWords } = this.process;
    return lastWords === '' ? [] : [{ source: 'stderr', text: lastWords }];
  }

  /** The first lines on stdout that are no messages. */
  strayEvidence(): readonly Evidence[] {
    const { count, first } = this.stray;
    if (count === 0) return [];
    const more = count > first.length ? `\n… and ${count - first.length} more` : '';
    return [{ source: 'stdout', text: `${first.join('\n')}${more}` }];
  }

  /** Ends what is left of it; resolves when it is gone. */
  async close(): Promise<void> {
    await this.client.close().catch(() => {});
    await this.process.kill();
    this.#bench.running.delete(this.process);
  }

  #refusal(complaint: string, timeoutMs: number): Outcome {
    const { handshake } = this.client;
    const { response } = this.transport.last(handshake) ?? {};
    const { exit } = this.process;
    if (response === undefined) {
      if (this.#bench.deadline.cause !== undefined) return { kind: 'over' };
      if (exit === undefined)
        return { kind: 'silent', why: `it did not answer ${handshake} within ${timeoutMs} ms` };
      return {
        kind: 'ended',
        why:
          exit.kind === 'exited'
            ? `it ended (${describeExit(exit)}) before it answered ${handshake}`
            : exit.message,
      };
    }
    if (isObject(response.error)) {
      const { code, message } = response.error;
      return { kind: 'refused', why: `it answered ${handshake} with the error ${code}: ${message}` };
    }
    const { supportedVersions } = isObject(response.result) ? response.result : {};
    if (
      this.era === 'modern' &&
      Array.isArray(supportedVersions) &&
      supportedVersions.every(isLegacyVersion)
    ) {
      const versions = supportedVersions.join(', ') || 'none';
      return {
        kind: 'refused',
        why: `the versions in its answer to server/discover are all older (${versions})`,
      };
    }
    return {
      kind: 'broken',
      why: `the official client does not accept its answer to ${handshake} (${complaint})`,
    };
  }

  #noteStray(text: string): void {
    this.stray.count++;
    if (this.stray.first.length === STRAY_SHOWN) return;
    this.stray.first.push(stripVTControlCharacters(text).slice(0, STRAY_WIDTH));
  }
}

function wordSurplus(id: unknown, exchange: Exchange | undefined): string {
  return exchange === undefined
    ? `it answered a request with the id ${JSON.stringify(id)}, which nobody has sent`
    : `it answered ${exchange.method} more than once`;
}

/** Versions are dates. */
function isLegacyVersion(version: unknown): boolean {
  return typeof version === 'string' && version < '2026-07-28';
}
