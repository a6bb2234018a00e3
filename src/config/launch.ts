import { dirname, extname, resolve } from 'node:path';
import type { Configuration } from './file.ts';
import { type Given, place, type Usage, usage } from './layers.ts';
import { entryEndings } from './options.ts';
import { lies } from './paths.ts';
import { programOf } from './project.ts';

/** What is started: a command as it stands, or one file that mcp-dev knows how to start. */
export type Launch =
  | { readonly kind: 'command'; readonly command: string; readonly args: readonly string[] }
  | { readonly kind: 'entry' /** absolute */; readonly entry: string; readonly args: readonly string[] };

type Entry = Extract<Launch, { kind: 'entry' }>;

/** Whether we compile the program ourselves: then what the compiler reads is watched in place of the project. */
export function isCompiled(launch: Launch): launch is Entry {
  return launch.kind === 'entry' && /\.(?:[mc]?ts|tsx)$/i.test(launch.entry);
}

/** The launch that was typed: an entry, or the words after `--`; undefined when neither was. */
export function typedLaunch(
  entry: string | undefined,
  rest: readonly string[] | undefined,
  cwd: string,
): Given<Launch> | Usage | undefined {
  const origin = { kind: 'flag' } as const;
  if (entry !== undefined) {
    const path = resolve(cwd, entry);
    const problem = entryProblem(path);
    if (problem !== undefined) return usage(`${path} ${problem}`);
    return { value: { kind: 'entry', entry: path, args: rest ?? [] }, origin };
  }
  if (rest === undefined) return undefined;
  const [command, ...args] = rest;
  if (command) return { value: { kind: 'command', command, args }, origin };
  return usage('the command of the server is missing after "--", as in: mcp-dev -- node dist/server.js');
}

/** The launch that a configuration names, if it does; a relative entry starts at the folder of the file. */
export async function configuredLaunch(
  configuration: Configuration,
): Promise<Given<Launch> | Usage | undefined> {
  const { command: words, entry, args = [] } = configuration.launch;
  if (words !== undefined) {
    const [command, ...own] = words;
    const origin = configuration.originOf('command');
    if (command) return { value: { kind: 'command', command, args: [...own, ...args] }, origin };
    return usage(`${await place(origin)}: "command" must start with the name of a program (got "")`);
  }
  if (entry === undefined) return undefined;
  const origin = configuration.originOf('entry');
  const path = resolve(dirname(configuration.file), entry);
  const problem = entryProblem(path);
  if (problem !== undefined) return usage(`${await place(origin)}: "entry" names ${path}, which ${problem}`);
  return { value: { kind: 'entry', entry: path, args }, origin };
}

/** The file of the program, if the launch tells which one that is. */
export function programFile(launch: Launch, cwd: string, home: string): string | undefined {
  return launch.kind === 'entry' ? launch.entry : programOf(launch.command, launch.args, cwd, home);
}

/** A program and its arguments. */
export interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

/** What is started for a launch; `built` starts what was compiled of it, if it is compiled. */
export function startCommand(launch: Launch, built: Command | undefined): Command {
  if (launch.kind === 'command') return { command: launch.command, args: launch.args };
  if (built !== undefined) return { command: built.command, args: [...built.args, ...launch.args] };
  const command = launch.entry.endsWith('.py') ? pythonCommand() : process.execPath;
  return { command, args: [launch.entry, ...launch.args] };
}

/** Whether the program is started with a debugger: node's inspector, or debugpy. */
export function isInspected(launch: Launch, env: NodeJS.ProcessEnv): boolean {
  const own = launch.kind === 'command' ? [launch.command, ...launch.args] : [];
  return (
    own.some((word) => /^--inspect(-brk|-wait|-port)?(=|$)/.test(word) || /(^|[\\/])debugpy$/.test(word)) ||
    /(^|\s)--inspect(-brk|-wait|-port)?(=|\s|$)/.test(env.NODE_OPTIONS ?? '')
  );
}

function pythonCommand(): string {
  return process.platform === 'win32' ? 'python' : 'python3';
}

function entryProblem(path: string): string | undefined {
  if (!(entryEndings as readonly string[]).includes(extname(path).toLowerCase())) {
    return `mcp-dev can't start by itself (${entryEndings.join(' ')}); give the command that starts it`;
  }
  switch (lies(path)) {
    case 'file':
      return undefined;
    case 'folder':
      return 'is a folder, not the file of a server';
    case 'nothing':
      return 'does not exist';
  }
}
