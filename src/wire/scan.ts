/**
 * Finding things in JSON text without parsing it: what is forwarded must keep its bytes (number formats,
 * unknown and repeated keys), and what is looked at on each message must be cheap.
 *
 * The functions trust that the text is valid JSON; on text that is not they return `undefined` or an end
 * that lies within the buffer, and never run past it.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COLON = 0x3a;
const COMMA = 0x2c;

/** A string that ends within so many bytes, as keys do, is sooner walked through than searched. */
const NEAR = 32;

/** A part of a buffer: from `start` up to, but without, `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export function isSpace(byte: number | undefined): boolean {
  // Nearly always it is none, and seen to be none at once.
  if (byte === undefined || byte > 0x20) return false;
  return byte === 0x20 || byte === 0x0d || byte === 0x09 || byte === 0x0a;
}

export function skipSpace(bytes: Buffer, position: number, end: number): number {
  while (position < end && isSpace(bytes[position])) position++;
  return position;
}

/** Where the string that opens at `position` ends (behind its closing quote), or -1. */
export function stringEnd(bytes: Buffer, position: number, end: number): number {
  const near = Math.min(end, position + NEAR);
  for (let at = position + 1; at < near && bytes[at] !== BACKSLASH; at++) {
    if (bytes[at] === QUOTE) return at + 1;
  }
  let quote = bytes.indexOf(QUOTE, position + 1);
  while (quote !== -1 && quote < end) {
    let backslashes = 0;
    while (bytes[quote - 1 - backslashes] === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
    quote = bytes.indexOf(QUOTE, quote + 1);
  }
  return -1;
}

/** Where the value that starts at `position` ends, or -1 when it does not end before `end`. */
export function valueEnd(bytes: Buffer, position: number, end: number): number {
  const first = bytes[position];
  if (first === QUOTE) return stringEnd(bytes, position, end);
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) {
    let at = position;
    while (at < end) {
      const byte = bytes[at];
      if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || isSpace(byte)) break;
      at++;
    }
    return at > position && at < end ? at : -1;
  }
  let depth = 0;
  let at = position;
  while (at < end) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = stringEnd(bytes, at, end);
      if (at === -1) return -1;
      continue;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth--;
      if (depth === 0) return at + 1;
    }
    at++;
  }
  return -1;
}

/** Whether objects and arrays lie within one another more than `limit` deep. */
export function isDeeperThan(bytes: Buffer, limit: number): boolean {
  let depth = 0;
  let at = 0;
  while (at < bytes.length) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = stringEnd(bytes, at, bytes.length);
      if (at === -1) return false;
      continue;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth++;
      if (depth > limit) return true;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--;
    at++;
  }
  return false;
}

/** A member of an object: its key (raw, between the quotes) and its value. */
export interface Member {
  readonly key: Span;
  readonly value: Span;
}

/**
 * Walks the members of the object that opens at `position`. `visit` may return `false` to stop. Returns the
 * position behind the object, or -1 when it was stopped or the text is no object.
 */
export function eachMember(
  bytes: Buffer,
  position: number,
  end: number,
  visit: (member: Member) => boolean,
): number {
  if (bytes[position] !== OPEN_BRACE) return -1;
  let at = skipSpace(bytes, position + 1, end);
  if (bytes[at] === CLOSE_BRACE) return at + 1;
  while (at < end) {
    if (bytes[at] !== QUOTE) return -1;
    const keyEnd = stringEnd(bytes, at, end);
    if (keyEnd === -1) return -1;
    const key = { start: at + 1, end: keyEnd - 1 };
    at = skipSpace(bytes, keyEnd, end);
    if (bytes[at] !== COLON) return -1;
    at = skipSpace(bytes, at + 1, end);
    const close = valueEnd(bytes, at, end);
    if (close === -1) return -1;
    if (!visit({ key, value: { start: at, end: close } })) return -1;
    at = skipSpace(bytes, close, end);
    if (bytes[at] === CLOSE_BRACE) return at + 1;
    if (bytes[at] !== COMMA) return -1;
    at = skipSpace(bytes, at + 1, end);
  }
  return -1;
}

/**
 * The elements of the array that opens at `position`, or `undefined` when the text up to `end` is not exactly
 * one array, or has more than `limit` of them.
 */
export function elements(bytes: Buffer, position: number, end: number, limit: number): Span[] | undefined {
  if (bytes[position] !== OPEN_BRACKET) return undefined;
  const found: Span[] = [];
  let at = skipSpace(bytes, position + 1, end);
  if (bytes[at] === CLOSE_BRACKET) return skipSpace(bytes, at + 1, end) === end ? found : undefined;
  while (at < end && found.length < limit) {
    const close = valueEnd(bytes, at, end);
    if (close === -1) return undefined;
    found.push({ start: at, end: close });
    at = skipSpace(bytes, close, end);
    if (bytes[at] === CLOSE_BRACKET) return skipSpace(bytes, at + 1, end) === end ? found : undefined;
    if (bytes[at] !== COMMA) return undefined;
    at = skipSpace(bytes, at + 1, end);
  }
  return undefined;
}

/**
 * Finds the value at a path of object keys, for example `['params', '_meta', 'progressToken']`.
 * Of repeated keys the last one counts, as in `JSON.parse`.
 */
export function locate(bytes: Buffer, path: readonly string[]): Span | undefined {
  let span: Span | undefined = { start: skipSpace(bytes, 0, bytes.length), end: bytes.length };
  for (const name of path) {
    let found: Span | undefined;
    const visit = ({ key, value }: Member): boolean => {
      if (key.end - key.start === name.length && bytes.toString('latin1', key.start, key.end) === name)
        found = value;
      return true;
    };
    eachMember(bytes, span.start, span.end, visit);
    if (found === undefined) return undefined;
    span = found;
  }
  return span;
}
