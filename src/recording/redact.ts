import { skipSpace, stringEnd, valueEnd } from '../wire/scan.ts';

/** What stands in place of a value that nobody is to see. */
const MASK = '[redacted]';

/** Text with the values of some keys masked; the same buffer where there are none. */
export type Redact = (text: Buffer) => Buffer;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/**
 * Makes a function that masks the values of `keys`, whatever their case, at any depth of JSON text, and of JSON in the
 * strings of JSON. All other bytes stay. Other text may be around the JSON; a value without an end is masked to the end
 * of the text.
 */
export function redactor(keys: readonly string[]): Redact {
  if (keys.length === 0) return (text) => text;
  const wanted = new Set(keys.map((key) => key.toLowerCase()));
  const isWanted = (key: string): boolean => wanted.has(key.toLowerCase());
  return (text) => mask(text, isWanted);
}

/** Command-line words with the values of the flags masked that are named like a key: `--token x` and `--token=x`. */
export function redactWords(words: readonly string[], keys: readonly string[]): readonly string[] {
  const wanted = new Set(keys.map((key) => key.toLowerCase()));
  const isWanted = (flag: string): boolean => wanted.has(flag.replace(/^-+/, '').toLowerCase());
  return words.map((word, index) => {
    const before = words[index - 1];
    if (before?.startsWith('-') && isWanted(before)) return MASK;
    const [flag = '', ...value] = word.split('=');
    return value.length > 0 && isWanted(flag) ? `${flag}=${MASK}` : word;
  });
}

function mask(text: Buffer, isWanted: (key: string) => boolean): Buffer {
  const parts: Buffer[] = [];
  let done = 0;
  const replace = (start: number, end: number, by: string): void => {
    parts.push(text.subarray(done, start), Buffer.from(by));
    done = end;
  };

  for (let at = 0; ; ) {
    const open = text.indexOf(QUOTE, at);
    const close = open === -1 ? -1 : stringEnd(text, open, text.length);
    if (close === -1) break;
    const colon = skipSpace(text, close, text.length);
    // In text around JSON a quote that ends nothing may precede it: each one may be the first of a key.
    at = close - 1;
    if (text[colon] !== COLON) {
      const inner = maskInside(text.subarray(open, close), isWanted);
      if (inner === undefined) continue;
      replace(open, close, inner);
      at = close;
    } else if (isWanted(decoded(text.subarray(open, close)) ?? '')) {
      const start = skipSpace(text, colon + 1, text.length);
      const end = valueEnd(text, start, text.length);
      at = end === -1 ? text.length : end;
      replace(start, at, JSON.stringify(MASK));
    }
  }
  if (parts.length === 0) return text;
  parts.push(text.subarray(done));
  return Buffer.concat(parts);
}

/** The string with JSON inside of it masked, if there is some to mask; `quoted` is its JSON text. */
function maskInside(quoted: Buffer, isWanted: (key: string) => boolean): string | undefined {
  // A key in a string has its quotes escaped.
  if (!quoted.includes(BACKSLASH)) return undefined;
  const text = decoded(quoted);
  if (text === undefined) return undefined;
  const bytes = Buffer.from(text);
  const masked = mask(bytes, isWanted);
  return masked === bytes ? undefined : JSON.stringify(masked.toString());
}

function decoded(quoted: Buffer): string | undefined {
  if (!quoted.includes(BACKSLASH)) return quoted.toString('utf8', 1, quoted.length - 1);
  try {
    return JSON.parse(quoted.toString()) as string;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
