/**
 * A JSON-RPC id as JSON text: `5`, `"abc"`. Text keeps what a number type would lose (ids above 2^53, a
 * string "5" beside a number 5) and can be written back as it is.
 */
export type IdText = string;

const PLAIN = /^(?:-?(?:0|[1-9]\d*)|"[^"\\]*")$/;

/**
 * Brings the text of an id into the one form that equal ids share, or `undefined` when it is no id that a
 * request may have (null, an object, …; JSON-RPC 2.0, section 4).
 */
export function idText(raw: string): IdText | undefined {
  if (PLAIN.test(raw)) return raw;
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  return typeof value === 'string' || typeof value === 'number' ? JSON.stringify(value) : undefined;
}

/**
 * The id as a peer gives it back whose numbers are doubles: above 2^53 it comes back rounded. The same as
 * `id` for every other.
 */
export function roundedId(id: IdText): IdText {
  return id.startsWith('"') ? id : JSON.stringify(Number(id));
}

/** Prefix of every id and progress token of our own making, in both directions. */
export const OWN_PREFIX = 'mcp-dev:';
