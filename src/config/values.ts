import { constants } from 'node:os';
import type { Kinds, Option } from './option.ts';

/** A larger delay would make a timer fire at once. */
export const maxMilliseconds = 2 ** 31 - 1;

/** Every signal of this platform, `SIGTERM` and the like. */
export const signalNames = Object.keys(constants.signals) as readonly NodeJS.Signals[];

/** The value that was read, or what was expected instead. */
export type Read =
  | { readonly kind: 'value'; readonly value: Kinds[keyof Kinds] }
  | { readonly kind: 'wrong'; readonly expected: string };

/** Reads what was typed after a flag. */
export function readText(option: Option, text: string): Read {
  switch (option.kind) {
    case 'switch':
      return { kind: 'wrong', expected: 'given without a value' };
    case 'milliseconds': {
      const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
      return value <= maxMilliseconds ? { kind: 'value', value } : wrong(option, text);
    }
    case 'count': {
      const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
      return Number.isSafeInteger(value) ? { kind: 'value', value } : wrong(option, text);
    }
    case 'choice':
      return option.choices.includes(text) ? { kind: 'value', value: text } : wrong(option, text);
    case 'signal': {
      const value = signalNames.find((name) => name === text);
      return value === undefined ? wrong(option, text) : { kind: 'value', value };
    }
    case 'text':
      return text === '' && option.mayBeEmpty !== true ? wrong(option, text) : { kind: 'value', value: text };
    case 'list': {
      const value = listed(option, [text]);
      return value.length === 0 || value.includes('') ? wrong(option, text) : { kind: 'value', value };
    }
  }
}

/** The items of a list that was given as one or more texts. */
export function listed(
  option: Extract<Option, { kind: 'list' }>,
  texts: readonly string[],
): readonly string[] {
  if (option.words !== true) return texts;
  return texts.flatMap((text) => text.split(/[\s,]+/)).filter((word) => word !== '');
}

/** What an option wants, to stand after "must be". `got` only chooses the words: it is known to be wrong. */
export function expectation(option: Option, got: unknown): string {
  switch (option.kind) {
    case 'switch':
      return 'true or false';
    case 'milliseconds': {
      const isNumber = typeof got === 'number' || (typeof got === 'string' && /^-?[\d.]+$/.test(got));
      return isNumber
        ? `a whole number of milliseconds from 0 to ${maxMilliseconds}`
        : 'a number of milliseconds';
    }
    case 'count':
      return 'a whole number';
    case 'choice':
      return option.choices.map((choice) => `"${choice}"`).join(' or ');
    case 'signal':
      return 'the name of a signal such as "SIGTERM"';
    case 'text':
      return got === '' ? 'a string that is not empty' : 'a string';
    case 'list': {
      const list = got === '' ? 'a string that is not empty' : 'a string or a list of strings';
      return option.negative === undefined ? list : `${list}, or false for none`;
    }
  }
}

function wrong(option: Option, got: string): Read {
  return { kind: 'wrong', expected: expectation(option, got) };
}
