import { stripVTControlCharacters } from 'node:util';

/** Keeps the last `limit` bytes of a stream, in the chunks that came. */
export class Tail {
  readonly #limit: number;
  #chunks: Buffer[] = [];
  #size = 0;
  #cut = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    for (let first = this.#chunks[0]; first; first = this.#chunks[0]) {
      if (this.#size - first.length < this.#limit) break;
      this.#chunks.shift();
      this.#size -= first.length;
      this.#cut = true;
    }
  }

  /** The end of what came, without colours; whole lines only if something was left out. */
  text(): string {
    const all = Buffer.concat(this.#chunks);
    if (!this.#cut && all.length <= this.#limit) return stripVTControlCharacters(all.toString());
    const end = all.subarray(Math.max(0, all.length - this.#limit));
    const newline = end.indexOf(0x0a);
    // Without a newline in it the cut may fall inside a character: that one becomes U+FFFD.
    return stripVTControlCharacters(end.subarray(newline + 1).toString());
  }
}
