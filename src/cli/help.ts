import { join } from 'node:path';
import { fallbackText, groups, type Option, type OptionTable, optionForms } from '../config/option.ts';
import { type Command, commands, runOptions } from '../config/options.ts';
import { packageFolder } from '../system/package.ts';

const width = 100;

const examples = [
  ['mcp-dev -- node dist/server.js', 'watch the project, swap the server at each change'],
  ['mcp-dev --build "npm run build" -w src -- node dist/server.js', 'build before each swap'],
  ['mcp-dev server.ts -- --port 3000', 'one file; after -- the arguments of the server'],
  ['mcp-dev --terminal server.py', 'without a client: see the tools and what changed'],
] as const;

/** The text of `--help`, at most 100 columns wide but for the last line, which is a path. Ends with a newline. */
export function helpText(): string {
  const all = Object.values<Command>(commands);
  const usage = all.filter(({ elsewhere }) => elsewhere === undefined).flatMap((command) => command.usage);
  return [
    'Stands between an MCP client and the MCP server that you write, and swaps the server at each save.',
    '',
    'Usage:',
    ...columns(usage.map(({ form, doc }) => [`mcp-dev ${form}`, doc])),
    ...Object.entries(groups).flatMap(([group, heading]) => ['', `${heading}:`, ...groupLines(group)]),
    ...Object.entries<Command>(commands).flatMap(ownOptionLines),
    '',
    'From another terminal (exit code 0: done, 1: nothing runs, or as below, 2: wrong usage):',
    ...wrap(
      'name is that of a server, or the number of a process. Without one, what was started in this folder is meant, ' +
        'or else all that runs; logs, call and stop are for one only.',
      width - 2,
    ).map((line) => `  ${line}`),
    ...all.filter(({ elsewhere }) => elsewhere).flatMap(elsewhereLines),
    '',
    'Examples:',
    ...examples.flatMap(([line, doc]) => [`  ${line}`, `      ${doc}`]),
    '',
    'Documentation:',
    `  ${join(packageFolder(), 'README.md')}`,
    '',
  ].join('\n');
}

/** The rows of the README's table of options, heading included. Ends with a newline. */
export function readmeTable(): string {
  const rows = Object.entries<Option>(runOptions).map(([key, option]) => {
    const forms = optionForms(key, option).map((form) => `\`${form}\``);
    return [forms.join(' / '), fallbackText(option) ?? '–', option.doc];
  });
  const heading = [
    ['option', 'default', 'meaning'],
    ['---', '---', '---'],
  ];
  return [...heading, ...rows].map((cells) => `| ${cells.map(escapePipes).join(' | ')} |\n`).join('');
}

function groupLines(group: string): readonly string[] {
  return optionLines(Object.entries<Option>(runOptions).filter(([, option]) => option.group === group));
}

/** The options that a command has for itself, under its name. */
function ownOptionLines([name, { options, elsewhere }]: readonly [string, Command]): readonly string[] {
  const own = ownOptions(options);
  if (name === 'run' || elsewhere || own.length === 0) return [];
  return ['', `mcp-dev ${name}:`, ...optionLines(own)];
}

/** Those that the main command does not have. */
function ownOptions(options: OptionTable): readonly (readonly [string, Option])[] {
  const known: readonly Option[] = Object.values(runOptions);
  return Object.entries(options).filter(([, option]) => !known.includes(option));
}

function optionLines(rows: readonly (readonly [string, Option])[]): readonly string[] {
  return columns(rows.map(([key, option]) => optionRow(key, option)));
}

function optionRow(key: string, option: Option): readonly [string, string] {
  const forms = optionForms(key, option).join(', ');
  const text = fallbackText(option);
  const doc = text === undefined ? option.doc : `${option.doc} [default: ${text}]`;
  return [option.short === undefined ? `    ${forms}` : forms, doc.replaceAll('`', '')];
}

/** A command with the options that it has for itself. */
function elsewhereLines({ usage, options }: Command): readonly string[] {
  return columns([
    ...usage.map(({ form, doc }) => [`mcp-dev ${form}`, doc] as const),
    ...ownOptions(options)
      .map(([key, option]) => optionRow(key, option))
      .map(([form, doc]) => [`    ${form}`, doc] as const),
  ]);
}

/** Two columns, the right one wrapped; a left cell that is too long gets a line of its own. */
function columns(rows: readonly (readonly [string, string])[]): readonly string[] {
  const left = 30;
  return rows.flatMap(([head, text]) => {
    const [first = '', ...others] = wrap(text, width - left);
    const indented = others.map((line) => ' '.repeat(left) + line);
    const cell = `  ${head}`;
    if (cell.length + 2 > left) return [cell, ' '.repeat(left) + first, ...indented];
    return [cell.padEnd(left) + first, ...indented];
  });
}

function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function escapePipes(cell: string): string {
  return cell.replaceAll('|', '\\|');
}
