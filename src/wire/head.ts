import { type Id, MOST_DIGITS, toId } from './id.ts';
import { Line } from './line.ts';
import { eachMember, isSpace, skipSpace, stringEnd, valueEnd } from './scan.ts';

/** What a message is, learnt from its outermost members alone. */
export type Head =
  | { readonly kind: 'request'; readonly id: Id; readonly method: string }
  | { readonly kind: 'notification'; readonly method: string }
  | { readonly kind: 'response'; readonly id: Id; readonly outcome: 'result' | 'error' }
  /** A JSON array: a batch of 2025-03-26, nothing in every other version. */
  | { readonly kind: 'batch' }
  /** Nothing but white space; both sides pass over such lines. */
  | { readonly kind: 'blank' }
  | { readonly kind: 'invalid' };

const INVALID: Head = { kind: 'invalid' };
const BATCH: Head = { kind: 'batch' };
const BLANK: Head = { kind: 'blank' };

/** How much of either end of a line that came in several chunks is looked at before it is joined. */
const WINDOW = 4096;

const QUOTE = 0x22;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const COLON = 0x3a;
const COMMA = 0x2c;
const ZERO = 0x30;
const LETTER_J = 0x6a;
const LETTER_M = 0x6d;

/** The outermost members that tell what a message is. */
type Name = 'jsonrpc' | 'id' | 'method' | 'params' | 'result' | 'error';

/** Their keys by the first byte of the name, which no two share; a key of no bytes for every other byte. */
const KEYS = byFirstByte(['jsonrpc', 'id', 'method', 'params', 'result', 'error']);

interface Key {
  readonly name: Name | undefined;
  readonly bytes: Buffer;
}

function byFirstByte(names: readonly Name[]): readonly Key[] {
  const none: Key = { name: undefined, bytes: Buffer.alloc(0) };
  const keys = Array.from({ length: 256 }, () => none);
  for (const name of names) keys[name.charCodeAt(0)] = { name, bytes: Buffer.from(`"${name}"`) };
  return keys;
}

/** Methods of messages that come in numbers. */
const FREQUENT = ['tools/call', 'notifications/progress', 'notifications/message', 'resources/read'].map(
  (method) => ({
    method,
    value: Buffer.from(`"${method}"`),
    member: Buffer.from(`"method":"${method}",`),
  }),
);

/** What the official SDKs end a message with, but for the number of the id and the brace. */
const USUAL_END = Buffer.from(',"jsonrpc":"2.0","id":');
const VERSION = Buffer.from('"2.0"');
const VERSION_MEMBER = Buffer.from('"jsonrpc":"2.0",');

/** What was read of those members. */
interface Found {
  version: boolean;
  /** `null` is an id that no request may have. */
  id: Id | null | undefined;
  method: string | undefined;
  body: Extract<Name, 'params' | 'result' | 'error'> | undefined;
}

/** Lines are read one at a time, and what was found of one is nothing to the next. */
const found: Found = { version: false, id: undefined, method: undefined, body: undefined };

function findNothing(): void {
  found.version = false;
  found.id = undefined;
  found.method = undefined;
  found.body = undefined;
}

/**
 * Tells what kind of message a line is. Most lines are decided by a look at both ends: SDKs write either
 * `{"jsonrpc","id","method","params":…}` or `{"result":…,"jsonrpc","id"}`. Only what stays unclear is
 * walked through. The inside of `params` and `result` is not validated: whoever receives it does that.
 */
export function readHead(line: Line): Head {
  const { first, more, start, end } = line;
  const last = more.length === 0 ? undefined : more[more.length - 1];
  if (last === undefined) return decide(first, start, end, first, start, end, line);
  // Windows that cut through a chunk are fine: what does not fit into them is undecided.
  return decide(
    first,
    start,
    Math.min(first.length, start + WINDOW),
    last,
    Math.max(0, end - WINDOW),
    end,
    line,
  );
}

function decide(
  head: Buffer,
  headStart: number,
  headEnd: number,
  tail: Buffer,
  tailStart: number,
  tailEnd: number,
  line: Line,
): Head {
  let close = tailEnd - 1;
  while (close >= tailStart && isSpace(tail[close])) close--;
  const open = skipSpace(head, headStart, headEnd);
  if (close < tailStart || open === headEnd) return line.text().trim() === '' ? BLANK : walk(line);
  if (head[open] === OPEN_BRACKET) return BATCH;
  if (head[open] !== OPEN_BRACE || tail[close] !== CLOSE_BRACE) return INVALID;
  findNothing();
  if (readForwards(head, open + 1, headEnd)) return conclude();
  if (found.id === undefined || !found.version) readBackwards(tail, tailStart, close);
  // Without an id it may still be hidden between two members that were passed over.
  const decided = found.id === undefined ? INVALID : conclude();
  return decided === INVALID ? walk(line) : decided;
}

function conclude(): Head {
  const { version, id, method, body } = found;
  if (!version || id === null) return INVALID;
  if (method !== undefined && body !== 'result' && body !== 'error') {
    return id === undefined ? { kind: 'notification', method } : { kind: 'request', id, method };
  }
  if (id === undefined || (body !== 'result' && body !== 'error')) return INVALID;
  return { kind: 'response', id, outcome: body };
}

/** Reads a member that is in most messages, and the comma behind it, in one look. Returns where it ends; `open` if it is another. */
function readUsualMember(bytes: Buffer, open: number): number {
  switch (bytes[open + 1]) {
    case LETTER_J:
      if (!beginsWith(bytes, open, VERSION_MEMBER)) return open;
      found.version = true;
      return open + VERSION_MEMBER.length;
    case LETTER_M:
      for (const { method, member } of FREQUENT) {
        if (!beginsWith(bytes, open, member)) continue;
        found.method ??= method;
        return open + member.length;
      }
      return open;
    default:
      return open;
  }
}

/** Reads scalar members up to the first object or array. Returns true when that was all of the message. */
function readForwards(bytes: Buffer, position: number, end: number): boolean {
  let at = skipSpace(bytes, position, end);
  while (at < end && bytes[at] === QUOTE) {
    const next = readUsualMember(bytes, at);
    if (next !== at) {
      at = skipSpace(bytes, next, end);
      continue;
    }
    const name = nameAt(bytes, at);
    const keyEnd = name === undefined ? stringEnd(bytes, at, end) : at + name.length + 2;
    if (keyEnd === -1) return false;
    at = skipSpace(bytes, keyEnd, end);
    if (bytes[at] !== COLON) return false;
    at = skipSpace(bytes, at + 1, end);
    const first = bytes[at];
    const close = first === OPEN_BRACE || first === OPEN_BRACKET ? -1 : valueEnd(bytes, at, end);
    if (close === -1) {
      note(name, bytes, at, at);
      return false;
    }
    note(name, bytes, at, close);
    at = skipSpace(bytes, close, end);
    if (bytes[at] === CLOSE_BRACE) return true;
    if (bytes[at] !== COMMA) return false;
    at = skipSpace(bytes, at + 1, end);
  }
  return false;
}

/**
 * Reads scalar members from the closing brace backwards. In valid JSON the last brace is outside of every
 * string, so a scalar in front of it, the quoted key in front of that, and the comma in front of the key are
 * what they seem to be. Keys and strings with an escape stop the walk: a quote could be part of them.
 */
function readBackwards(bytes: Buffer, start: number, close: number): void {
  let at = readUsualEnd(bytes, start, close);
  for (;;) {
    at = spaceBefore(bytes, start, at);
    const valueClose = at;
    if (bytes[at - 1] === QUOTE) at = plainStringStart(bytes, start, at);
    else while (at > start && isScalarByte(bytes[at - 1])) at--;
    if (at <= start || at === valueClose) return;
    const valueStart = at;
    at = spaceBefore(bytes, start, at);
    if (bytes[at - 1] !== COLON) return;
    const keyClose = spaceBefore(bytes, start, at - 1);
    if (bytes[keyClose - 1] !== QUOTE) return;
    at = plainStringStart(bytes, start, keyClose);
    if (at <= start) return;
    const name = nameAt(bytes, at);
    at = spaceBefore(bytes, start, at);
    if (bytes[at - 1] !== COMMA) return;
    note(name, bytes, valueStart, valueClose);
    at--;
  }
}

/** Reads the members that the official SDKs end a message with in one look. Returns where it got to: `close` if it has others. */
function readUsualEnd(bytes: Buffer, start: number, close: number): number {
  let at = close;
  let id = 0;
  let unit = 1;
  while (at > start && close - at < MOST_DIGITS) {
    const digit = (bytes[at - 1] as number) - ZERO;
    if (digit < 0 || digit > 9) break;
    id += digit * unit;
    unit *= 10;
    at--;
  }
  const isCounting = at < close && (bytes[at] !== ZERO || at === close - 1);
  const open = at - USUAL_END.length;
  if (!isCounting || open < start || !beginsWith(bytes, open, USUAL_END)) return close;
  if (found.id === undefined) found.id = id;
  found.version = true;
  return open;
}

/** Where the string starts whose closing quote is in front of `close`, or -1 when it has an escape. */
function plainStringStart(bytes: Buffer, start: number, close: number): number {
  let at = close - 2;
  while (at > start && bytes[at] !== QUOTE) {
    if (bytes[at] === 0x5c) return -1;
    at--;
  }
  return at > start && bytes[at] === QUOTE && bytes[at - 1] !== 0x5c ? at : -1;
}

function spaceBefore(bytes: Buffer, start: number, at: number): number {
  while (at > start && isSpace(bytes[at - 1])) at--;
  return at;
}

function isScalarByte(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    byte === 0x2d ||
    byte === 0x2b ||
    byte === 0x2e ||
    byte === 0x45
  );
}

/** Notes a member with its value, which is empty where only the member's being there counts. */
function note(name: Name | undefined, bytes: Buffer, start: number, end: number): void {
  switch (name) {
    case 'jsonrpc':
      found.version = isExactly(bytes, start, end, VERSION);
      break;
    case 'id':
      if (found.id === undefined) found.id = idAt(bytes, start, end);
      break;
    case 'method':
      if (bytes[start] === QUOTE && end > start) found.method ??= methodAt(bytes, start, end);
      break;
    case 'params':
    case 'result':
    case 'error':
      found.body ??= name;
      break;
    case undefined:
      break;
  }
}

// What follows reads bytes as text without making a string where it can: to make one costs more than all else
// that is done to tell what a line is.

/** The member whose key opens at `quote`, if it is one that tells something. */
function nameAt(bytes: Buffer, quote: number): Name | undefined {
  const key = KEYS[bytes[quote + 1] ?? 0] as Key;
  return beginsWith(bytes, quote, key.bytes) ? key.name : undefined;
}

function idAt(bytes: Buffer, start: number, end: number): Id | null {
  if (end > start && bytes[start] === QUOTE) {
    const text = bytes.toString('utf8', start, end);
    return text.includes('\\') ? (toId(text) ?? null) : text;
  }
  const length = end - start;
  const isCounting = length > 0 && length <= MOST_DIGITS && (bytes[start] !== ZERO || length === 1);
  let value = 0;
  for (let at = start; at < end && isCounting; at++) {
    const digit = (bytes[at] as number) - ZERO;
    if (digit < 0 || digit > 9) return toId(bytes.toString('utf8', start, end)) ?? null;
    value = value * 10 + digit;
  }
  return isCounting ? value : (toId(bytes.toString('utf8', start, end)) ?? null);
}

function methodAt(bytes: Buffer, start: number, end: number): string {
  for (const { method, value } of FREQUENT) if (isExactly(bytes, start, end, value)) return method;
  const text = bytes.toString('utf8', start, end);
  if (!text.includes('\\')) return text.slice(1, -1);
  // With an escape that JSON does not know it is a method that nobody knows.
  return String(Line.of(text).parse() ?? text);
}

/** Whether just these bytes lie from `start` to `end`. */
function isExactly(bytes: Buffer, start: number, end: number, wanted: Buffer): boolean {
  return end - start === wanted.length && beginsWith(bytes, start, wanted);
}

/** Whether these bytes lie at `start`. */
function beginsWith(bytes: Buffer, start: number, wanted: Buffer): boolean {
  const { length } = wanted;
  if (start < 0 || start + length > bytes.length) return false;
  for (let index = 0; index < length; index++) {
    if (bytes[start + index] !== wanted[index]) return false;
  }
  return true;
}

/** The sure way: every outermost member, one after the other. */
function walk(line: Line): Head {
  const bytes = line.bytes();
  findNothing();
  const open = skipSpace(bytes, 0, bytes.length);
  const close = eachMember(bytes, open, bytes.length, ({ key, value }) => {
    note(nameAt(bytes, key.start - 1), bytes, value.start, value.end);
    return true;
  });
  if (close === -1 || skipSpace(bytes, close, bytes.length) !== bytes.length) return INVALID;
  return conclude();
}
