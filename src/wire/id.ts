/**
 * A JSON-RPC id as the key of a map: a number for the counting numbers that nearly all peers use, and the JSON
 * text of every other (`"abc"`, `-1`), which keeps what a number type would lose: ids above 2^53, a string "5"
 * beside a number 5. Written into a template, both are the id's JSON text.
 */
export type Id = number | string;

/** Numbers of so many digits fit into a small integer of the engine. */
export const MOST_DIGITS = 9;

const COUNTING = new RegExp(`^(?:0|[1-9]\\d{0,${MOST_DIGITS - 1}})$`);
const PLAIN = /^(?:-?[1-9]\d*|"[^"\\]*")$/;

/**
 * The id with this JSON text, in the one form that equal ids share; `undefined` when it is none that a request
 * may have (null, an object, …; JSON-RPC 2.0, section 4).
 */
export function toId(raw: string): Id | undefined {
  if (COUNTING.test(raw)) return Number(raw);
  if (PLAIN.test(raw)) return raw;
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const text = JSON.stringify(value);
  return COUNTING.test(text) ? Number(text) : text;
}

/**
 * The id as a peer gives it back whose numbers are doubles: above 2^53 it comes back rounded. The same as
 * `id` for every other.
 */
export function roundedId(id: Id): Id {
  return typeof id === 'number' || id.startsWith('"') ? id : JSON.stringify(Number(id));
}

/** Prefix of every id and progress token of our own making, in both directions. */
export const OWN_PREFIX = 'mcp-dev:';
