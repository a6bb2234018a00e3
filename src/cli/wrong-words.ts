import { extname } from 'node:path';
import { type Usage, usage } from '../config/layers.ts';
import { type Option, optionForms } from '../config/option.ts';
import { type Command, type CommandName, commands, entryEndings } from '../config/options.ts';
import { closest } from '../text/suggest.ts';

/** A command line, read up to a word. */
export interface Line {
  readonly argv: readonly string[];
  readonly command: CommandName;
  /** The entry, if one was read already. */
  readonly entry: string | undefined;
  /** The words of a command that takes some, as far as they were read. */
  readonly words: readonly string[];
  readonly word: string;
  /** The words that follow. */
  readonly after: readonly string[];
}

/** Whether a word can be the entry. */
export function isEntry(word: string): boolean {
  return (entryEndings as readonly string[]).includes(extname(word).toLowerCase());
}

/** Why a word that is no flag can't stand here; undefined if it is the entry, or one of a command's words. */
export function operandFault({ argv, command, entry, words, word, after }: Line): Usage | undefined {
  const { operands, usage: forms }: Command = commands[command];
  if (typeof operands === 'number') {
    if (word !== '--' && words.length < operands) return undefined;
    const takes = operands === 0 ? 'takes options only' : `is used as: mcp-dev ${forms[0]?.form}`;
    return usage(`unexpected "${word}": mcp-dev ${command} ${takes}`);
  }
  const last = [word, ...after];
  const before = argv.slice(0, argv.length - last.length);
  if (entry !== undefined) {
    const example = shellLine([...before, '--', ...last.filter((one) => one !== '--')]);
    return usage(`unexpected "${word}" after ${entry}; the server's arguments go after "--": ${example}`);
  }
  if (isEntry(word)) return undefined;
  if (after.includes('--')) return usage(`unexpected "${word}" before "--"; the command goes after it`);
  // `server.rb` is a file; `node` and `./bin/server` are commands.
  if (!/\.[a-z]\w*$/i.test(word)) {
    return usage(`put "--" before the command: ${shellLine([...before, '--', ...last])}`);
  }
  const example = shellLine([...before, '--', '<command>', ...last]);
  return usage(
    `${word} is no file that mcp-dev can start by itself (${entryEndings.join(' ')}); name its command: ${example}`,
  );
}

/** A flag that is not in the table: probably misspelt, or the server's own in the wrong place. */
export function unknownFlag({ argv, command, entry, word, after }: Line): Usage {
  const names = Object.entries<Option>(commands[command].options)
    .flatMap(([key, option]) => optionForms(key, option))
    .map((form) => /--([\w-]+)/.exec(form)![1]!);
  const typed = word.replace(/^-+/, '');
  // `--color` and `--no-watch` ask for the other form of what there is.
  const opposite = typed.startsWith('no-') ? typed.slice(3) : `no-${typed}`;
  const meant =
    typed.length > 1 ? (closest(typed, names) ?? names.find((name) => name === opposite)) : undefined;
  const guess = meant === undefined ? '' : `, did you mean --${meant}?`;
  if (entry !== undefined) {
    const before = argv.slice(0, argv.length - after.length - 1);
    const example = shellLine([...before, '--', word, ...after.filter((one) => one !== '--')]);
    return usage(`unknown option ${word}${guess} (the server's arguments go after "--": ${example})`);
  }
  const hint = typeof commands[command].operands === 'string' ? ', and the server\'s own go after "--"' : '';
  const own = command === 'run' ? 'mcp-dev' : `mcp-dev ${command}`;
  return usage(`unknown option ${word}${guess || `; ${own} --help lists all${hint}`}`);
}

/** A command line to copy; words that a shell would take apart are quoted. */
function shellLine(words: readonly string[]): string {
  const quoted = words.map((word) =>
    /^[\w<>./:=@,+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`,
  );
  return ['mcp-dev', ...quoted].join(' ');
}
