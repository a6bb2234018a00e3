import { Line } from '../wire/line.ts';
import { elements, skipSpace } from '../wire/scan.ts';

/** The one version whose messages may be arrays of messages (2025-03-26, basic, "Batching"). */
export const BATCH_VERSION = '2025-03-26';

/** More messages in one line than anybody batches. */
const MOST_MEMBERS = 10_000;

/** A batch of the client: its answers leave together, once the last one is there. */
export class Batch {
  #open = 0;
  readonly #answers: Line[] = [];

  /** One more request belongs to it. */
  expect(): void {
    this.#open++;
  }

  /** An answer is there. Returns the answer to the whole batch if it was the last one. */
  answer(line: Line): Line | undefined {
    this.#answers.push(line);
    return this.#close();
  }

  /** A request was cancelled and gets no answer. Returns what is to be sent if nothing else is open. */
  cancel(): Line | undefined {
    return this.#close();
  }

  #close(): Line | undefined {
    this.#open--;
    if (this.#open > 0 || this.#answers.length === 0) return undefined;
    const parts = this.#answers.flatMap((answer, index) => [
      Buffer.from(index === 0 ? '[' : ','),
      ...answer.parts(),
    ]);
    return Line.of(Buffer.concat([...parts, Buffer.from(']')]));
  }
}

/** The members of a batch as lines of their own, or `undefined` when the line is no valid array, or a vast one. */
export function membersOf(line: Line): Line[] | undefined {
  const bytes = line.bytes();
  const start = skipSpace(bytes, 0, bytes.length);
  const spans = elements(bytes, start, bytes.length, MOST_MEMBERS);
  return spans?.map(({ start, end }) => Line.window(bytes, start, end));
}
