import { type Given, type Layer, type Usage, usage } from '../config/layers.ts';
import { longFlag, type Option, placeholder } from '../config/option.ts';
import { type CommandName, commands } from '../config/options.ts';
import { readText } from '../config/values.ts';
import { isEntry, type Line, operandFault, unknownFlag } from './wrong-words.ts';

/** A command line, read but not yet checked against the disk. */
export type Parsed =
  | { readonly kind: 'help'; readonly command: CommandName }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'parsed';
      readonly command: CommandName;
      readonly flags: Layer;
      /** The file that stands before the entry or the command, as it was typed. */
      readonly recording: string | undefined;
      /** The file that was named as the entry, as it was typed. */
      readonly entry: string | undefined;
      /** What was named for a command that takes words, such as the name of a server. */
      readonly words: readonly string[];
      /** Everything after the first `--`; undefined when there is none. */
      readonly rest: readonly string[] | undefined;
    }
  | Usage;

type Table = Readonly<Record<string, Option>>;

/** A flag as it was typed: with its value when one stands in the same word. */
type Word =
  | {
      readonly kind: 'flag';
      readonly key: string;
      readonly option: Option;
      readonly attached: string | undefined;
    }
  | { readonly kind: 'negated'; readonly key: string }
  | { readonly kind: 'unknown'; readonly typed: string };

/** Reads the words after `mcp-dev`. */
export function parse(argv: readonly string[]): Parsed {
  const command = commandOf(argv[0]);
  const options: Table = commands[command].options;
  const queue = argv.slice(command === 'run' ? 0 : 1);
  const flags = new Map<string, Given>();
  const words: string[] = [];
  let recording: string | undefined;
  let entry: string | undefined;

  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    const line: Line = { argv, command, entry, words, word, after: queue };
    const { operands } = commands[command];
    if (word === '--' && typeof operands === 'string') {
      return { kind: 'parsed', command, flags, recording, entry, words, rest: queue };
    }
    if (operands === 'recording and launch' && recording === undefined && !word.startsWith('-')) {
      recording = word;
      continue;
    }
    if (!word.startsWith('-') || word === '-' || word === '--') {
      const fault = operandFault(line);
      if (fault !== undefined) return fault;
      if (typeof operands === 'string') entry = word;
      else words.push(word);
      continue;
    }
    const read = readWord(options, word, queue);
    switch (read.kind) {
      case 'unknown':
        return unknownFlag({ ...line, word: read.typed });
      case 'negated': {
        const value = options[read.key]!.kind === 'list' ? [] : false;
        flags.set(read.key, { value, origin: { kind: 'flag' } });
        break;
      }
      case 'flag': {
        if (read.key === 'help') return { kind: 'help', command };
        if (read.key === 'version') return { kind: 'version' };
        const fault = setFlag(flags, read.key, read.option, takeValue(read.option, read.attached, queue));
        if (fault !== undefined) return fault;
      }
    }
  }
  return { kind: 'parsed', command, flags, recording, entry, words, rest: undefined };
}

/** A command is recognised only as the first word. */
function commandOf(first: string | undefined): CommandName {
  const names = Object.keys(commands) as CommandName[];
  return names.find((name) => name === first && name !== 'run') ?? 'run';
}

/** Which flag a word is. A cluster of one-letter switches (`-vq`) is split: its rest goes back to the queue. */
function readWord(options: Table, word: string, queue: string[]): Word {
  if (word.startsWith('--')) {
    const [name = '', ...values] = word.split('=');
    const attached = values.length === 0 ? undefined : values.join('=');
    for (const [key, option] of Object.entries(options)) {
      if (name === longFlag(key) && option.negative !== 'only')
        return { kind: 'flag', key, option, attached };
      const isNegated = option.negative !== undefined && name === `--no-${longFlag(key).slice(2)}`;
      if (isNegated && attached === undefined) return { kind: 'negated', key };
    }
    return { kind: 'unknown', typed: name };
  }
  // `-watch` is a long flag with one dash too few, not -w with the value "atch".
  if (Object.keys(options).some((key) => longFlag(key) === `-${word}`))
    return { kind: 'unknown', typed: word };
  const found = Object.entries(options).find(([, option]) => option.short === word[1]);
  if (found === undefined) return { kind: 'unknown', typed: word };
  const [key, option] = found;
  const attached = word.length > 2 ? word.slice(2) : undefined;
  if (option.kind !== 'switch' || attached === undefined) return { kind: 'flag', key, option, attached };
  queue.unshift(`-${attached}`);
  return { kind: 'flag', key, option, attached: undefined };
}

type Taken = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'bare' | 'missing' };

/** The value of a flag: what is attached to it, or else the next word if that can be one. */
function takeValue(option: Option, attached: string | undefined, queue: string[]): Taken {
  if (attached !== undefined) return { kind: 'text', text: attached };
  if (option.kind === 'switch') return { kind: 'bare' };
  const next = queue[0];
  if ((option.kind === 'choice' || option.kind === 'milliseconds') && option.bare !== undefined) {
    if (next === undefined || !isOptionalValue(option, next)) return { kind: 'bare' };
  } else if (next === undefined || (next.startsWith('-') && !/^-\d/.test(next))) {
    return { kind: 'missing' };
  }
  queue.shift();
  return { kind: 'text', text: next };
}

/** Whether the word after a flag whose value may be left out is that value, and not the entry. */
function isOptionalValue(option: Option, next: string): boolean {
  if (option.kind === 'milliseconds') return /^-?\d/.test(next) && !isEntry(next);
  return readText(option, next).kind === 'value';
}

/** Notes the value of a flag: the last one counts, lists grow. */
function setFlag(flags: Map<string, Given>, key: string, option: Option, taken: Taken): Usage | undefined {
  const flag = longFlag(key);
  const origin = { kind: 'flag' } as const;
  switch (taken.kind) {
    case 'missing':
      return usage(`${flag} needs a value: ${flag} ${placeholder(option)}`);
    case 'bare':
      flags.set(key, { value: 'bare' in option ? option.bare : true, origin });
      return undefined;
    case 'text': {
      const read = readText(option, taken.text);
      if (read.kind === 'wrong') {
        return usage(`${flag} must be ${read.expected} (got ${JSON.stringify(taken.text)})`);
      }
      const before = option.kind === 'list' ? flags.get(key)?.value : undefined;
      const value =
        Array.isArray(before) && Array.isArray(read.value) ? [...before, ...read.value] : read.value;
      flags.set(key, { value, origin });
      return undefined;
    }
  }
}
