import type { Readable, Writable } from 'node:stream';
import { launchProblem } from '../config/file.ts';
import { homeFolder } from '../config/home-folder.ts';
import { typedLaunch } from '../config/launch.ts';
import type { Given, Layer, Usage } from '../config/layers.ts';
import { merge } from '../config/merge.ts';
import type { Kinds } from '../config/option.ts';
import { runOptions } from '../config/options.ts';
import { placePaths } from '../config/placement.ts';
import { configure, type RunConfig } from '../config/run-config.ts';
import type { Variants } from '../config/variants.ts';

/** What stands on a command line alone: flags without a configuration key, and the mode for a terminal. */
const { config: _, dump: _d, help: _h, version: _v, terminal: _t, ...libraryOptions } = runOptions;

type Table = typeof libraryOptions;

type Value<O> = O extends { kind: 'list'; negative: string }
  ? string | readonly string[] | false
  : O extends { kind: 'list' }
    ? string | readonly string[]
    : O extends { kind: 'choice'; choices: readonly (infer C)[] }
      ? C
      : O extends { kind: infer K extends keyof Kinds }
        ? Kinds[K]
        : never;

/** The options of the command line in camelCase, as a configuration file has them; the README's table tells of each. */
export type OptionKeys = { readonly [K in keyof Table]?: Value<Table[K]> };

/** What is started, and how. Relative paths start at `cwd`, or at the folder of this process. */
export interface DevServerOptions extends OptionKeys {
  /** The command of the server, the program and its arguments each on its own; this, or `entry`. */
  readonly command?: readonly string[];
  /** The file of the server, in place of a command. */
  readonly entry?: string;
  /** More arguments of the server. */
  readonly args?: readonly string[];
  /** Other ways to start the same server, by name; `mcp_dev_reload` chooses among them. */
  readonly variants?: Variants;
  /** What the client sends; `process.stdin` by default. */
  readonly stdin?: Readable;
  /** What the client gets, MCP messages and nothing else; `process.stdout` by default. */
  readonly stdout?: Writable;
  /** Where the server's stderr goes, and what there is to say; `process.stderr` by default. */
  readonly stderr?: Writable;
}

/** An option that cannot be used; the message names it. */
export class OptionsError extends Error {
  override readonly name = 'OptionsError';
}

/** Checks options as a configuration file is checked. Rejects with an `OptionsError`. */
export async function configOf(options: DevServerOptions): Promise<RunConfig> {
  const { stdin: _in, stdout: _out, stderr: _err, ...given } = options;
  const { checkConfiguration } = await import('../config/schema.ts');
  const checked = checkConfiguration(libraryOptions, given);
  if (checked.kind === 'invalid') throw new OptionsError(checked.problem);
  const wrong = launchProblem(checked.launch);
  if (wrong !== undefined) throw new OptionsError(wrong.problem);
  const origin = { kind: 'file', locate: async () => 'createDevServer' } as const;
  const layer = new Map([...checked.values].map(([key, value]) => [key, { value, origin }] as const));

  const moved = usable(await placePaths(runOptions, pick(layer, 'cwd'), process.cwd()));
  const cwd: Given = moved.get('cwd') ?? { value: process.cwd(), origin: { kind: 'default' } };
  const folder = cwd.value as string;
  const placed = usable(await placePaths(runOptions, new Map([...layer, ...moved]), folder));
  const { command, entry, args = [], variants = {} } = checked.launch;
  const words = entry === undefined && command !== undefined ? [...command, ...args] : undefined;
  const launch = typedLaunch(entry, entry === undefined ? words : args, folder);
  if (launch === undefined) throw new OptionsError('name the server as "command" or "entry"');

  const merged = usable(await merge(runOptions, new Map(), placed));
  const host = {
    cwd: folder,
    env: process.env,
    home: homeFolder(),
    stdoutIsTTY: process.stdout.isTTY === true,
    stderrIsTTY: process.stderr.isTTY === true,
  };
  const settings = {
    options: new Map([...merged, ['cwd', cwd] as const]),
    launch: usable(launch),
    variants: { value: variants, origin },
    configFile: undefined,
  };
  return usable(configure(settings, host)).config;
}

function usable<T extends object>(value: T | Usage): T {
  if ('kind' in value && value.kind === 'usage') throw new OptionsError((value as Usage).message);
  return value as T;
}

function pick(layer: Layer, key: string): Layer {
  const given = layer.get(key);
  return new Map(given === undefined ? [] : [[key, given]]);
}
