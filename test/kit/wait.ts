/** Each wait of a test ends by then, in ms: far more than a busy machine needs, less than the test's own limit. */
export const DEADLINE_MS = 15_000;

/** For states that have no event of their own: looks each 20 ms until the answer is neither false nor undefined. */
export async function until<T>(look: () => T | Promise<T>, description: string): Promise<NonNullable<T>> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const answer = await look();
    if (answer !== false && answer !== undefined && answer !== null) return answer;
    if (performance.now() > deadline) throw new Error(`never so: ${description}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The promise's outcome, or after the deadline an error that says what was waited for. */
export async function within<T>(promise: Promise<T>, description: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain for ${description()}`)), DEADLINE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What arrived so far, in order, and waits for what is still to come. */
export class Arrivals<T> {
  readonly all: T[] = [];
  readonly #name: string;
  #ended: string | undefined;
  #waiting: (() => void)[] = [];

  /** `name` is for error texts: `stderr of …`. */
  constructor(name: string) {
    this.#name = name;
  }

  push(item: T): void {
    this.all.push(item);
    this.#ring();
  }

  /** Nothing more will come: who waits fails at once, with the reason. */
  end(reason: string): void {
    this.#ended = reason;
    this.#ring();
  }

  /** The position of the first match at `from` or later, arrived already or not. `what` is for the error text. */
  find(matches: (item: T) => boolean, what: string, from = 0): Promise<number> {
    const failure = () => `${what} in ${this.#name}, where this was seen:\n${this.#seen(from)}`;
    const search = async (): Promise<number> => {
      for (let at = from; ; at += 1) {
        while (at >= this.all.length) {
          if (this.#ended !== undefined) throw new Error(`${this.#ended}: no ${failure()}`);
          await new Promise<void>((resolve) => this.#waiting.push(resolve));
        }
        if (matches(this.all[at] as T)) return at;
      }
    };
    return within(search(), failure);
  }

  #ring(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #seen(from: number): string {
    const texts = this.all
      .slice(from)
      .map((item) => (typeof item === 'string' ? item : JSON.stringify(item)));
    return texts.length === 0 ? '(nothing)' : texts.map((text) => `  ${text.slice(0, 500)}`).join('\n');
  }
}
