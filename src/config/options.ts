/**
 * The one table of options. Flags, help, configuration keys, their validation, `--dump` and the README's
 * table all come from it: a new option is one new row here, a new command one more entry of `commands`.
 *
 * A row's name is the configuration key; the flag is the same in kebab-case. A row's `doc` is the help text.
 */

import type { Option, OptionTable } from './option.ts';

const sourceExtensions = (
  'js mjs cjs jsx ts mts cts tsx json jsonc py pyi toml yaml yml md sql graphql html css ' +
  'go rs c h cc cpp hpp java kt cs rb php ex exs swift sh'
).split(' ');

const shared = {
  color: {
    kind: 'switch',
    negative: 'only',
    group: 'output',
    fallback: undefined,
    doc: 'no colours on stderr; `NO_COLOR` and `FORCE_COLOR` are honoured',
  },
  help: { kind: 'switch', short: 'h', group: 'general', fallback: false, flagOnly: true, doc: 'show this' },
  version: {
    kind: 'switch',
    short: 'V',
    group: 'general',
    fallback: false,
    flagOnly: true,
    doc: 'show the version',
  },
} as const satisfies OptionTable;

/** The options of the main command: one server behind a persistent session. */
export const runOptions = {
  watch: {
    kind: 'list',
    short: 'w',
    placeholder: '<path or glob>',
    path: 'path or glob',
    group: 'watch',
    fallback: [],
    fallbackText: 'project root',
    doc:
      'what to watch: a file, a folder or a glob; repeatable. The project root is the nearest folder with ' +
      'package.json, pyproject.toml or `.git` at or above the entry; never `/` or the home folder',
  },
  ignore: {
    kind: 'list',
    short: 'i',
    placeholder: '<glob>',
    group: 'watch',
    fallback: [],
    doc:
      'more to ignore, relative to the project root; repeatable. Always ignored: `.git` and other VCS ' +
      "folders, `node_modules`, Python environments, `__pycache__`, editors' temporary files, what " +
      '`.gitignore` names, what the build writes. A path named by `--watch` counts even if ignored, what ' +
      'lies ignored below it does not. `.env*` of the root counts although ignored',
  },
  ext: {
    kind: 'list',
    short: 'e',
    placeholder: '<list>',
    words: true,
    group: 'watch',
    fallback: sourceExtensions,
    fallbackText: 'source',
    doc:
      `which file types count below a watched folder: ${sourceExtensions.join(' ')}; ` +
      'a list such as `ts,sql` replaces these, `*` is all. A file or glob named by `--watch` always counts',
  },
  poll: {
    kind: 'milliseconds',
    bare: 500,
    group: 'watch',
    fallback: undefined,
    fallbackText: 'off',
    doc: 'poll instead of file events (network mounts, containers); 500 ms when no number is given',
  },
  build: {
    kind: 'text',
    short: 'b',
    placeholder: '<command>',
    mayBeEmpty: true,
    group: 'reload',
    fallback: undefined,
    doc: 'run through the shell before the first start and each swap; an empty one is no build',
  },
  debounce: {
    kind: 'milliseconds',
    short: 'd',
    group: 'reload',
    fallback: undefined,
    fallbackText: 'adaptive',
    doc:
      'quiet time that ends a batch of changes: 10 ms for a single file after a calm second, else 100 ms; ' +
      'a number fixes it. A batch waits 1 s at most, 3 s while git holds its index lock',
  },
  clear: {
    kind: 'list',
    placeholder: '<glob>',
    negative: 'also',
    group: 'reload',
    fallback: ['**/__pycache__'],
    doc:
      'caches inside the watched folders that are removed before a start; repeatable. Never `.git` or ' +
      '`node_modules`, never through a symlink that leaves the watched folders',
  },
  exclusive: {
    kind: 'choice',
    choices: ['auto', 'on', 'off'],
    bare: 'on',
    group: 'reload',
    fallback: 'auto',
    doc:
      'stop the old generation before the new one starts, for servers that own a port, a lock or a device; ' +
      '`on` when no value is given. `auto`: when a new one fails because of one (EADDRINUSE, a lock or name in ' +
      'use) it is tried once more with the old one stopped, and so is every later one',
  },
  standby: {
    kind: 'choice',
    choices: ['safe', 'deps', 'off'],
    group: 'reload',
    fallback: 'safe',
    doc:
      'keep the next process waiting with its packages loaded and no line of the server: known ones that only ' +
      'define things (the MCP SDKs, zod, pydantic), all that the program imports, or no process at all',
  },
  hold: {
    kind: 'milliseconds',
    group: 'reload',
    fallback: 20_000,
    doc: 'how long after a change requests wait for the reload',
  },
  drain: {
    kind: 'milliseconds',
    group: 'reload',
    fallback: 60_000,
    doc: 'how long a draining generation may finish what it was given (10000 when exclusive)',
  },
  replay: {
    kind: 'choice',
    choices: ['safe', 'idempotent', 'never'],
    group: 'reload',
    fallback: 'safe',
    doc:
      'which requests are sent once more when a crash, or the end of a drain, interrupts them: what changes ' +
      'nothing (lists, reads, calls of tools with `readOnlyHint`), also calls of tools with `idempotentHint`, or none',
  },
  stale: {
    kind: 'choice',
    choices: ['notice', 'error', 'silent'],
    group: 'reload',
    fallback: 'notice',
    doc:
      'what a tool call gets while the newest source does not work: the result of the code before with a note, an ' +
      'error without calling the tool, or the bare result (its `_meta` tells in any case)',
  },
  tools: {
    kind: 'switch',
    negative: 'only',
    group: 'server',
    fallback: true,
    doc: 'do not add the `mcp_dev_*` tools',
  },
  allowCommands: {
    kind: 'switch',
    group: 'server',
    fallback: false,
    doc:
      'let `mcp_dev_reload` start other commands, arguments and variables; without it only the `variants` of the ' +
      'configuration file',
  },
  transparent: {
    kind: 'switch',
    group: 'reload',
    fallback: false,
    doc:
      'add and change nothing that the client can see: no `mcp_dev_*` tools, no padded capabilities, no notes on results of old code, ' +
      "the server's own times to cache; `list_changed` is sent after each reload all the same",
  },
  readyTimeout: {
    kind: 'milliseconds',
    group: 'reload',
    fallback: 30_000,
    doc: 'how long a candidate may take to answer the handshake',
  },
  signal: {
    kind: 'signal',
    group: 'reload',
    fallback: 'SIGTERM',
    doc: 'what asks a generation to stop at a swap, 500 ms after its stdin was closed',
  },
  killTimeout: {
    kind: 'milliseconds',
    group: 'reload',
    fallback: 5_000,
    doc: 'how long a generation may take to stop at a swap before it is killed',
  },
  envFile: {
    kind: 'list',
    placeholder: '<path>',
    path: 'file',
    group: 'server',
    fallback: [],
    doc:
      'variables for the build and the server; repeatable, a later file wins over an earlier one and a ' +
      'variable that the client gave over both; a change of the file reloads',
  },
  cwd: {
    kind: 'text',
    placeholder: '<dir>',
    path: 'folder',
    group: 'server',
    fallback: undefined,
    fallbackText: 'this folder',
    doc:
      'where to run; relative paths of other flags start there. A command that a configuration file names runs in ' +
      'the folder of that file, and a build in the project root if `mcp-dev` was started outside of the project',
  },
  name: {
    kind: 'text',
    placeholder: '<name>',
    group: 'server',
    fallback: undefined,
    fallbackText: "the project's",
    doc: 'what to call this server; otherwise the name in package.json or pyproject.toml, or that of the folder',
  },
  terminal: {
    kind: 'switch',
    group: 'output',
    fallback: false,
    fallbackText: 'stdin is a TTY',
    doc: 'terminal mode, also where stdin is no terminal: `mcp-dev` is its own client and shows what each reload changed',
  },
  logFile: {
    kind: 'text',
    placeholder: '<path>',
    path: 'new file',
    group: 'output',
    fallback: undefined,
    doc: 'the log, whatever the verbosity on stderr; bounded in size',
  },
  events: {
    kind: 'text',
    placeholder: '<file>',
    path: 'new file',
    group: 'output',
    fallback: undefined,
    doc: 'append what happens to a file, or to a named pipe, one JSON object a line',
  },
  record: {
    kind: 'text',
    placeholder: '<file>',
    path: 'new recording',
    group: 'output',
    fallback: undefined,
    doc:
      'write every message of the session to a file, for `mcp-dev replay`; the file is for its owner alone, and ' +
      'that of an earlier session is replaced',
  },
  redact: {
    kind: 'list',
    placeholder: '<key>',
    group: 'output',
    fallback: [],
    doc:
      'mask the values of this key, at any depth and whatever its case, in the recording, the events and the log ' +
      'file; repeatable',
  },
  verbose: {
    kind: 'switch',
    short: 'v',
    group: 'output',
    fallback: false,
    doc: "say more on stderr, the build's output too",
  },
  quiet: { kind: 'switch', short: 'q', group: 'output', fallback: false, doc: 'say only faults on stderr' },
  color: shared.color,
  config: {
    kind: 'text',
    placeholder: '<file>',
    path: 'file',
    group: 'general',
    fallback: undefined,
    fallbackText: 'found',
    flagOnly: true,
    doc:
      '`mcp-dev.config.{json,jsonc,yaml,js,mjs}` or `"mcp-dev"` in package.json, looked for from the entry ' +
      'upwards. Its keys are these flags in camelCase (`readyTimeout`; `--no-clear` is `"clear": false`), ' +
      'and `command` with `args`, or `entry` with `args`, and `variants`; flags win over it',
  },
  dump: {
    kind: 'switch',
    group: 'general',
    fallback: false,
    flagOnly: true,
    doc: 'print the resolved configuration and where each value came from, then exit',
  },
  help: shared.help,
  version: shared.version,
} as const satisfies OptionTable;

/** The options of `mcp-dev replay`. */
export const replayOptions = {
  timeout: {
    kind: 'milliseconds',
    group: 'general',
    fallback: 30_000,
    doc: 'how long the server may take for each answer',
  },
  ignoreTimes: {
    kind: 'switch',
    group: 'general',
    fallback: false,
    doc: 'two times are equal: ISO 8601, also in longer texts, and numbers of seconds or milliseconds since 1970',
  },
  ignore: {
    kind: 'list',
    placeholder: '<path>',
    group: 'general',
    fallback: [],
    doc:
      'a part of the answers that may differ, such as `result.serverInfo.version` or `**.size`; `*` is one step, ' +
      '`**` any number of them; repeatable',
  },
  cwd: { ...runOptions.cwd, doc: 'where the server runs' },
  envFile: { ...runOptions.envFile, doc: 'variables for the server; repeatable' },
  ...shared,
} as const satisfies OptionTable;

/** What only the check command has. */
export const checkOnlyOptions = {
  expectTool: {
    kind: 'list',
    placeholder: '<name>',
    group: 'check',
    fallback: [],
    flagOnly: true,
    doc: 'a tool that the server must have; repeatable',
  },
  call: {
    kind: 'list',
    placeholder: "'<tool>=<json>'",
    group: 'check',
    fallback: [],
    flagOnly: true,
    doc: 'a call that must succeed, once in each era, as in `add={"a":1,"b":2}`; repeatable',
  },
  era: {
    kind: 'choice',
    choices: ['auto', 'legacy', 'modern', 'both'],
    group: 'check',
    fallback: 'auto',
    flagOnly: true,
    doc:
      'which protocol must work: the versions with `initialize`, 2026-07-28, both, or those that the server speaks, ' +
      'one at least',
  },
  timeout: {
    kind: 'milliseconds',
    group: 'check',
    fallback: 300_000,
    flagOnly: true,
    doc: 'how long everything may take, the build too; then the rest is skipped and all processes are ended',
  },
  reload: {
    kind: 'switch',
    negative: 'only',
    group: 'check',
    fallback: true,
    flagOnly: true,
    doc: 'leave out the reload',
  },
  format: {
    kind: 'choice',
    choices: ['pretty', 'json', 'junit', 'github'],
    group: 'output',
    fallback: 'pretty',
    flagOnly: true,
    doc: 'the form of the report: for people, for scripts, for CI servers, or as annotations of GitHub Actions',
  },
  output: {
    kind: 'text',
    placeholder: '<file>',
    path: 'new file',
    group: 'output',
    fallback: undefined,
    fallbackText: 'stdout',
    flagOnly: true,
    doc: 'where to write the report',
  },
} as const satisfies OptionTable;

/** The options of the check command; those of the main command mean the same here. */
const checkOptions = {
  ...checkOnlyOptions,
  build: { ...runOptions.build, doc: 'run through the shell once, before the first start' },
  clear: runOptions.clear,
  readyTimeout: { ...runOptions.readyTimeout, doc: 'how long the server may take to answer the handshake' },
  exclusive: runOptions.exclusive,
  signal: runOptions.signal,
  killTimeout: runOptions.killTimeout,
  envFile: {
    ...runOptions.envFile,
    doc: 'variables for the build and the server; repeatable, a later file wins over an earlier one',
  },
  cwd: runOptions.cwd,
  name: runOptions.name,
  verbose: { ...runOptions.verbose, doc: 'show what the build and the server print, as it comes' },
  quiet: { ...runOptions.quiet, doc: 'no progress on stderr' },
  color: { ...runOptions.color, doc: 'no colours; `NO_COLOR` and `FORCE_COLOR` are honoured' },
  config: runOptions.config,
  help: shared.help,
  version: shared.version,
} as const satisfies OptionTable;

const json = (doc: string) =>
  ({ kind: 'switch', group: 'general', fallback: false, flagOnly: true, doc }) as const satisfies Option;

const statusOptions = {
  json: json(
    'for scripts: a list with an object for each, with the `format` of the object, which is 1, the `instance` of ' +
      '`mcp-dev`, and of its server the `state`, `generation`, `reloads` and more',
  ),
  watch: {
    kind: 'switch',
    short: 'w',
    group: 'general',
    fallback: false,
    flagOnly: true,
    doc: 'keep it on screen, and up to date; where stdout is no terminal: once more after each change',
  },
  ...shared,
} as const satisfies OptionTable;

const reloadOptions = {
  reason: {
    kind: 'text',
    placeholder: '<text>',
    group: 'general',
    fallback: undefined,
    flagOnly: true,
    doc: 'what for, to be noted in the log',
  },
  ...shared,
} as const satisfies OptionTable;

const logsOptions = {
  follow: {
    kind: 'switch',
    short: 'f',
    group: 'general',
    fallback: false,
    flagOnly: true,
    doc: 'go on with every line that comes',
  },
  source: {
    kind: 'choice',
    choices: ['server', 'build', 'mcp-dev', 'messages'],
    group: 'general',
    fallback: undefined,
    flagOnly: true,
    doc: "only the server's stderr, what builds print, what `mcp-dev` says, or the server's log messages",
  },
  lines: {
    kind: 'count',
    short: 'n',
    group: 'general',
    fallback: 50,
    flagOnly: true,
    doc: 'how many of the last lines',
  },
  generation: {
    kind: 'count',
    short: 'g',
    group: 'general',
    fallback: undefined,
    flagOnly: true,
    doc: 'only what this generation said',
  },
  ...shared,
} as const satisfies OptionTable;

const callOptions = {
  json: json('the whole result instead of its text'),
  ...shared,
} as const satisfies OptionTable;

/** One command: its first word selects it; `run` is what stands where no command is named. */
export interface Command {
  /** The forms of the command line, each with what it does. */
  readonly usage: readonly { readonly form: string; readonly doc: string }[];
  readonly options: OptionTable;
  /**
   * `launch`: takes an entry or, after `--`, a command; `recording and launch`: the same behind a file. A number: so
   * many words at most.
   */
  readonly operands: 'launch' | 'recording and launch' | number;
  /** It talks to processes of `mcp-dev` that run already. */
  readonly elsewhere?: true;
}

/** All commands. */
export const commands = {
  run: {
    usage: [
      { form: '[options] -- <command> [args…]', doc: 'a server behind a persistent session' },
      {
        form: '[options] <entry> [-- server args…]',
        doc: 'the same for one file: .ts .mts .cts .tsx .js .mjs .cjs .py',
      },
    ],
    options: runOptions,
    operands: 'launch',
  },
  replay: {
    usage: [
      {
        form: 'replay [options] <recording> -- <command> [args…]',
        doc: 'compare a server with what --record wrote; --help shows its options',
      },
    ],
    options: replayOptions,
    operands: 'recording and launch',
  },
  check: {
    usage: [
      { form: 'check [options] -- <command> [args…]', doc: 'smoke run for CI; --help shows its options' },
    ],
    options: checkOptions,
    operands: 'launch',
  },
  demo: {
    usage: [{ form: 'demo', doc: 'the whole loop in one terminal, no client needed' }],
    options: shared,
    operands: 0,
  },
  status: {
    usage: [
      { form: 'status [name]', doc: 'how it goes: state, last reloads, errors. Exit 1: down or stale' },
    ],
    options: statusOptions,
    operands: 1,
    elsewhere: true,
  },
  reload: {
    usage: [{ form: 'reload [name]', doc: 'reload, and wait for what comes of it. Exit 1: it failed' }],
    options: reloadOptions,
    operands: 1,
    elsewhere: true,
  },
  logs: {
    usage: [{ form: 'logs [name]', doc: 'the last lines that the server, its builds and mcp-dev printed' }],
    options: logsOptions,
    operands: 1,
    elsewhere: true,
  },
  call: {
    usage: [
      {
        form: 'call [name] <tool> [json]',
        doc: 'call a tool of the running server with these arguments, an object. Exit 1: it failed',
      },
    ],
    options: callOptions,
    operands: 3,
    elsewhere: true,
  },
  stop: {
    usage: [{ form: 'stop [name]', doc: 'end it, with its server' }],
    options: shared,
    operands: 1,
    elsewhere: true,
  },
} as const satisfies Readonly<Record<string, Command>>;

/** A command's name; `run` is never typed. */
export type CommandName = keyof typeof commands;

/** The endings of files that can be named as the entry. */
export const entryEndings = ['.ts', '.mts', '.cts', '.tsx', '.js', '.mjs', '.cjs', '.py'] as const;
