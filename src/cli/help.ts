import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fallbackText, groups, type Option, optionForms } from '../config/option.ts';
import { type Command, commands, runOptions } from '../config/options.ts';

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
    ...Object.entries(groups).flatMap(([group, heading]) => ['', `${heading}:`, ...optionLines(group)]),
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

/** The version in package.json. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageFolder(), 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}

/** The folder of this package, from the sources and from the one file that is built of them. */
function packageFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

function optionLines(group: string): readonly string[] {
  const rows = Object.entries<Option>(runOptions).filter(([, option]) => option.group === group);
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
  const known: readonly Option[] = Object.values(runOptions);
  const own = Object.entries(options).filter(([, option]) => !known.includes(option));
  return columns([
    ...usage.map(({ form, doc }) => [`mcp-dev ${form}`, doc] as const),
    ...own.map(([key, option]) => optionRow(key, option)).map(([form, doc]) => [`    ${form}`, doc] as const),
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
