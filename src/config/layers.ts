import { longFlag } from './option.ts';

/** What was asked for can't be done: one sentence for stderr, which names what is wrong and what to do. */
export interface Usage {
  readonly kind: 'usage';
  readonly message: string;
}

/** Where a value came from. */
export type Origin =
  | { readonly kind: 'default' }
  | { readonly kind: 'flag' }
  /** A variable of the environment, or a file that is no configuration (`package.json` for the name). */
  | { readonly kind: 'other'; readonly place: string }
  /** `locate` answers `mcp-dev.config.json:3`; lines are looked up only when somebody asks. */
  | { readonly kind: 'file'; readonly locate: () => Promise<string> };

/** A value and where it came from. */
export interface Given<T = unknown> {
  readonly value: T;
  readonly origin: Origin;
}

/** The values of one source, by configuration key. */
export type Layer = ReadonlyMap<string, Given>;

/** A usage error. */
export function usage(message: string): Usage {
  return { kind: 'usage', message };
}

/** How a sentence names an option: `--debounce`, or `mcp-dev.config.json:4: "debounce"`. */
export async function subject(key: string, origin: Origin): Promise<string> {
  return origin.kind === 'file' ? `${await origin.locate()}: "${key}"` : longFlag(key);
}

/** Where a value came from, for `--dump`. */
export async function place(origin: Origin): Promise<string> {
  switch (origin.kind) {
    case 'default':
    case 'flag':
      return origin.kind;
    case 'other':
      return origin.place;
    case 'file':
      return origin.locate();
  }
}
