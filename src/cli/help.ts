import { join } from 'node:path';
import { fallbackText, groups, type Option, type OptionTable, optionForms } from '../config/option.ts';
import { type Command, type CommandName, commands, runOptions } from '../config/options.ts';
import { packageFolder } from '../system/package.ts';

const width = 100;

const examples = [
  ['mcp-dev -- node dist/server.js', 'watch the project, swap the server at each change'],
  ['mcp-dev --build "npm run build" -w src -- node dist/server.js', 'build before each swap'],
  ['mcp-dev server.ts -- --port 3000', 'one file; after -- the arguments of the server'],
  ['mcp-dev --terminal server.py', 'without a client: see the tools and what changed'],
] as const;

/** What is said of a command with a page of its own. */
interface Page {
  readonly summary: string;
  readonly usage: Command['usage'];
  readonly examples: readonly (readonly [line: string, doc: string])[];
}

const pages: Partial<Record<CommandName, Page>> = {
  check: {
    summary:
      'Builds and starts an MCP server and looks, with the official clients, whether it does what it should. Exit ' +
      'code 0: all checks hold, 1: one failed, 2: wrong usage.',
    usage: [
      { form: 'check [options] -- <command> [args…]', doc: 'the server that this command starts' },
      { form: 'check [options] <entry> [-- server args…]', doc: 'the server in this file' },
      { form: 'check [options]', doc: 'the server of the configuration' },
    ],
    examples: [
      ['mcp-dev check -- node dist/server.js', 'start, handshake, lists, reload and end, in each era'],
      ['mcp-dev check --build "npm run build" --expect-tool add -- node dist/server.js', 'build first'],
      [`mcp-dev check --call 'add={"a":1,"b":2}' server.ts`, 'with a call that must succeed'],
      ['mcp-dev check --format junit --output report.xml', 'in a configured project, for a CI server'],
    ],
  },
  replay: {
    summary:
      "Sends the client's half of a recording to a server, and compares its answers with the recorded ones. Exit code " +
      '0: all are equal, 1: one differs or is missing, 2: wrong usage.',
    usage: [
      {
        form: 'replay [options] <recording> -- <command> [args…]',
        doc: 'the server that this command starts',
      },
      { form: 'replay [options] <recording> <entry>', doc: 'the server in this file' },
    ],
    examples: [
      ['mcp-dev --record session.ndjson -- node dist/server.js', 'record what a client does'],
      ['mcp-dev replay session.ndjson -- node dist/server.js', 'does the server still answer like that?'],
      ["mcp-dev replay session.ndjson --ignore '**.size' -- node dist/server.js", 'but for sizes'],
    ],
  },
};

/**
 * The text of `--help`, at most 100 columns wide but for the last line, which is a path. Ends with a newline. Commands
 * without a page of their own have that of the main one.
 */
export function helpText(command: CommandName = 'run'): string {
  const page = pages[command];
  if (page !== undefined) return helpOf(page, commands[command].options, []);
  const all = Object.values<Command>(commands);
  const fromElsewhere = [
    'From another terminal (exit code 0: done, 1: nothing runs, or as below, 2: wrong usage):',
    ...wrap(
      'name is that of a server, or the number of a process. Without one, what was started in this folder is meant, ' +
        'or else all that runs; logs, call and stop are for one only.',
      width - 2,
    ).map((line) => `  ${line}`),
    ...all.filter(({ elsewhere }) => elsewhere).flatMap(elsewhereLines),
    '',
  ];
  const summary =
    'Stands between an MCP client and the MCP server that you write, and swaps the server at each save.';
  const usage = all.filter(({ elsewhere }) => elsewhere === undefined).flatMap((one) => one.usage);
  return helpOf({ summary, usage, examples }, runOptions, fromElsewhere);
}

function helpOf({ summary, usage, examples }: Page, options: OptionTable, more: readonly string[]): string {
  const sections = Object.entries(groups)
    .map(([group, heading]) => [heading, optionLines(options, group)] as const)
    .filter(([, lines]) => lines.length > 0);
  return [
    ...wrap(summary, width),
    '',
    'Usage:',
    ...columns(usage.map(({ form, doc }) => [`mcp-dev ${form}`, doc])),
    ...sections.flatMap(([heading, lines]) => ['', `${heading}:`, ...lines]),
    '',
    ...more,
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

/** Those that the main command does not have. */
function ownOptions(options: OptionTable): readonly (readonly [string, Option])[] {
  const known: readonly Option[] = Object.values(runOptions);
  return Object.entries(options).filter(([, option]) => !known.includes(option));
}

function optionLines(options: OptionTable, group: string): readonly string[] {
  const rows = Object.entries<Option>(options).filter(([, option]) => option.group === group);
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
