import type { Line } from './line.ts';

/**
 * Tells whether a short text lies in a line. Lines come one after the other out of the same chunk, so the chunk is
 * searched once: to search each line for itself costs more than all else that is done to a message.
 */
export class TextFinder {
  readonly #text: string;
  #chunk: Buffer | undefined;
  /** The chunk was searched from here on … */
  #from = 0;
  /** … and has the text here at first; at infinity if it has it no more. */
  #next = 0;

  /** @param text of ASCII characters */
  constructor(text: string) {
    this.#text = text;
  }

  isIn(line: Line): boolean {
    const { first, more, start, end } = line;
    if (more.length > 0) return line.includes(this.#text);
    if (this.#chunk !== first || start < this.#from || start > this.#next) {
      const at = first.indexOf(this.#text, start, 'latin1');
      this.#chunk = first;
      this.#from = start;
      this.#next = at === -1 ? Number.POSITIVE_INFINITY : at;
    }
    return this.#next + this.#text.length <= end;
  }
}
