/** The last lines of a byte stream, bounded in number and in size. */
export class Tail {
  readonly #lines: number;
  readonly #bytes: number;
  #text = '';
  readonly #decoder = new TextDecoder();

  /** Keeps at most `lines` lines and about `bytes` characters. */
  constructor(lines: number, bytes: number) {
    this.#lines = lines;
    this.#bytes = bytes;
  }

  push(chunk: Uint8Array): void {
    this.#text += this.#decoder.decode(chunk, { stream: true });
    if (this.#text.length > 2 * this.#bytes) this.#text = this.#text.slice(-this.#bytes);
  }

  /** The lines that are kept, without an end-of-line at the end. */
  text(): string {
    return this.#text.slice(-this.#bytes).trimEnd().split('\n').slice(-this.#lines).join('\n');
  }
}
