import type { LogRing } from '../journal/log-ring.ts';
import type { Colors } from './colors.ts';
import type { Report } from './report.ts';
import { shortenIn, wordReport } from './wording.ts';

/** Where the lines of `mcp-dev` go: stderr, and the log file if there is one. */
export interface LogSink {
  /** Text that ends with a newline. */
  write(text: string): void;
}

export type Verbosity = 'quiet' | 'normal' | 'verbose';

export interface ReporterOptions {
  readonly root: string;
  readonly verbosity: Verbosity;
  /** Undefined: nothing is painted. */
  readonly colors: Colors | undefined;
  readonly stderr: LogSink;
  /** Gets every line, whatever the verbosity. */
  readonly log: LogSink | undefined;
  /** Gets them too, with what builds print. */
  readonly logs: LogRing;
}

type Level = 'error' | 'warning' | 'info' | 'detail';

/** So many of each kind are shown; the rest is counted. */
const OFFENCES_SHOWN = 3;
/** Kinds that are rather explained than shown, for which once is enough. */
const EXPLAINED: ReadonlySet<string> = new Set(['request-state', 'tool-names']);
const OFFENCES = {
  garbage: "lines on the server's stdout were no MCP messages",
  'client-id': 'ids were used by the client before they were answered',
  'server-id': 'answers of the server were to nothing that was asked',
  'server-questions': 'requests of the server were refused, as too many are open or they cannot be kept',
  'server-requests': 'requests of the server were dropped, as its protocol version has none',
  subscriptions: 'subscriptions were refused by a later generation',
  'request-state': 'request states were refused by a later generation',
  'tool-names': 'lists of tools had names of ours',
  'server-backlog': 'messages of servers that were not ready were dropped',
} as const;
const SHOWN_WIDTH = 300;

/**
 * Says on stderr what happened: a line for each start, reload and fault, made for the log panel of a client.
 * `quiet` leaves only faults, `verbose` adds details.
 */
export class Reporter {
  readonly #options: ReporterOptions;
  readonly #shorten: (path: string) => string;
  readonly #offences = new Map<string, number>();

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#shorten = shortenIn(options.root);
  }

  report(report: Report): void {
    const text = wordReport(report, this.#shorten);
    switch (report.event) {
      case 'ready':
        this.#say('info', text);
        return;
      case 'failed':
        this.#say('error', text);
        // A server's last words have passed on stderr already.
        if (report.failure.reason === 'build_failed') this.#output(report.failure.text, 'error');
        return;
      case 'crashed':
        this.#say('error', text);
        return;
      case 'one-at-a-time':
      case 'loop':
        this.#say('warning', text);
        return;
    }
  }

  info(text: string): void {
    this.#say('info', text);
  }

  warn(text: string): void {
    this.#say('warning', text);
  }

  error(text: string): void {
    this.#say('error', text);
  }

  detail(text: string): void {
    this.#say('detail', text);
  }

  /** What a build prints, as it comes. */
  buildOutput(chunk: Buffer): void {
    this.#options.logs.bytes('build', chunk);
    this.#output(chunk.toString(), 'detail');
  }

  /** Something on the server's stdout that is no message. */
  garbage(generation: number, text: string): void {
    const shown = `generation ${generation} printed this on stdout, which is for MCP messages: ${text}`;
    const count = this.offence('garbage', shown);
    if (count === 1) {
      this.#say(
        'warning',
        "print to stderr instead (console.error, or print(…, file=sys.stderr)); npm's banner goes away with npm -s",
      );
    }
  }

  /** Somebody does not keep to the protocol: the first of a kind are shown, then they are counted. */
  offence(about: keyof typeof OFFENCES, text: string): number {
    const count = (this.#offences.get(about) ?? 0) + 1;
    this.#offences.set(about, count);
    const limit = EXPLAINED.has(about) ? 1 : OFFENCES_SHOWN;
    const shown = text.length > SHOWN_WIDTH ? `${text.slice(0, SHOWN_WIDTH)}…` : text;
    if (count <= limit) this.#say('warning', shown);
    // Said again at 10, 100, 1000 …, so that a flood stays visible without being one itself.
    else if (Number.isInteger(Math.log10(count))) this.#say('warning', `${count} ${OFFENCES[about]} so far`);
    return count;
  }

  #output(text: string, level: Level): void {
    const ended = text.endsWith('\n') || text === '' ? text : `${text}\n`;
    this.#options.log?.write(ended);
    if (this.#isShown(level)) this.#options.stderr.write(ended);
  }

  #isShown(level: Level): boolean {
    switch (this.#options.verbosity) {
      case 'verbose':
        return true;
      case 'normal':
        return level !== 'detail';
      case 'quiet':
        return level === 'error' || level === 'warning';
    }
  }

  #painted(level: Level, text: string): string {
    const { colors } = this.#options;
    if (colors === undefined) return text;
    switch (level) {
      case 'error':
        return colors.red(text);
      case 'warning':
        return colors.yellow(text);
      case 'info':
        return colors.green(text);
      case 'detail':
        return colors.dim(text);
    }
  }

  #say(level: Level, text: string): void {
    this.#options.log?.write(`${new Date().toISOString()} ${text}\n`);
    this.#options.logs.line('mcp-dev', text);
    if (!this.#isShown(level)) return;
    this.#options.stderr.write(`${this.#painted(level, 'mcp-dev')} ${text}\n`);
  }
}
