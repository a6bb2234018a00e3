/** Where a line of the log comes from: the server's stderr, the build, `mcp-dev`, or the server's log messages. */
export const LOG_SOURCES = ['server', 'build', 'mcp-dev', 'messages'] as const;

export type LogSource = (typeof LOG_SOURCES)[number];

/** One line of the log. */
export interface LogLine {
  /** When its end came; ms since the epoch. */
  readonly time: number;
  readonly source: LogSource;
  /** The generation that it is of; absent where it is of none. */
  readonly generation?: number;
  /** Without an end-of-line. */
  readonly text: string;
}

/** Which lines are wanted; what is absent is no condition. */
export interface LogQuery {
  readonly source?: LogSource | undefined;
  readonly generation?: number | undefined;
  /** So many of the last ones at most. */
  readonly lines: number;
}

const MOST_LINES = 5000;
const MOST_CHARACTERS = 2_000_000;
/** What is longer is cut: who prints such lines prints data. */
const LONGEST_LINE = 8192;

/** A line whose end has not come. */
interface Unfinished {
  readonly decoder: InstanceType<typeof TextDecoder>;
  text: string;
}

/** The last lines of everything that a server, its builds and `mcp-dev` say, bounded in number and size. */
export class LogRing {
  #lines: LogLine[] = [];
  #characters = 0;
  readonly #unfinished = new Map<string, Unfinished>();
  readonly #followers = new Set<(line: LogLine) => void>();

  /** A whole line. */
  line(source: LogSource, text: string, generation?: number): void {
    for (const part of text.split(/\r?\n/)) this.#add(source, part, generation);
  }

  /** Bytes as they come from a pipe, which may end in the middle of a line or of a character. */
  bytes(source: LogSource, chunk: Uint8Array, generation?: number): void {
    const key = `${source} ${generation}`;
    const unfinished = this.#unfinished.get(key) ?? { decoder: new TextDecoder(), text: '' };
    this.#unfinished.set(key, unfinished);
    const parts = (unfinished.text + unfinished.decoder.decode(chunk, { stream: true })).split(/\r?\n/);
    unfinished.text = (parts.pop() ?? '').slice(0, LONGEST_LINE);
    for (const part of parts) this.#add(source, part, generation);
  }

  /** No more bytes will come from there: what has no end-of-line is a line as well. */
  end(source: LogSource, generation?: number): void {
    const key = `${source} ${generation}`;
    const text = this.#unfinished.get(key)?.text ?? '';
    this.#unfinished.delete(key);
    if (text !== '') this.#add(source, text, generation);
  }

  /** The last lines that match, the oldest first. */
  tail({ source, generation, lines }: LogQuery): readonly LogLine[] {
    const matching = this.#lines.filter(
      (line) =>
        (source === undefined || line.source === source) &&
        (generation === undefined || line.generation === generation),
    );
    return lines === 0 ? [] : matching.slice(-lines);
  }

  /** Calls `listener` with every line from now on, until the function that it returns is called. */
  follow(listener: (line: LogLine) => void): () => void {
    this.#followers.add(listener);
    return () => this.#followers.delete(listener);
  }

  #add(source: LogSource, text: string, generation: number | undefined): void {
    const cut = text.length > LONGEST_LINE ? `${detached(text.slice(0, LONGEST_LINE))}…` : text;
    const line = { time: Date.now(), source, ...(generation === undefined ? {} : { generation }), text: cut };
    this.#lines.push(line);
    this.#characters += cut.length;
    if (this.#lines.length > 2 * MOST_LINES || this.#characters > 2 * MOST_CHARACTERS) this.#forget();
    for (const listener of this.#followers) listener(line);
  }

  /** Forgets the oldest lines, many at a time. */
  #forget(): void {
    let first = Math.max(0, this.#lines.length - MOST_LINES);
    let characters = 0;
    for (let index = this.#lines.length - 1; index >= first; index--) {
      characters += (this.#lines[index] as LogLine).text.length;
      if (characters > MOST_CHARACTERS) first = index + 1;
    }
    this.#lines = this.#lines.slice(first);
    this.#characters = this.#lines.reduce((sum, { text }) => sum + text.length, 0);
  }
}

/** A copy: what is a part of a longer text keeps all of that in memory. */
function detached(text: string): string {
  return Buffer.from(text).toString();
}
