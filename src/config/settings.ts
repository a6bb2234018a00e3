import { dirname } from 'node:path';
import { type Configuration, readConfiguration } from './file.ts';
import { configuredLaunch, type Launch, programFile, typedLaunch } from './launch.ts';
import { type Given, type Layer, type Usage, usage } from './layers.ts';
import { merge } from './merge.ts';
import { runOptions } from './options.ts';
import { placePaths } from './placement.ts';
import type { Variants } from './variants.ts';

/** Every source read, checked and merged, before anything is derived from it. */
export interface Settings {
  /** One value for each row of the table, paths absolute; `cwd` is always set. */
  readonly options: ReadonlyMap<string, Given>;
  readonly launch: Given<Launch>;
  readonly variants: Given<Variants>;
  /** absolute */
  readonly configFile: string | undefined;
}

/** The command line of the main command. */
export interface Typed {
  readonly flags: Layer;
  readonly entry: string | undefined;
  readonly rest: readonly string[] | undefined;
}

/** Puts the command line and the configuration file together. */
export async function readSettings(
  typed: Typed,
  host: { readonly cwd: string; readonly home: string },
): Promise<Settings | Usage> {
  // The other paths of the command line start where --cwd leads, and --cwd starts at the process's own folder.
  const moved = await placePaths(runOptions, pick(typed.flags, 'cwd'), host.cwd);
  if ('kind' in moved) return moved;
  const here = (moved.get('cwd')?.value as string | undefined) ?? host.cwd;
  const flags = await placePaths(runOptions, new Map([...typed.flags, ...moved]), here);
  if ('kind' in flags) return flags;
  const typedOne = typedLaunch(typed.entry, typed.rest, here);
  if (typedOne !== undefined && 'kind' in typedOne) return typedOne;

  const program = typedOne && programFile(typedOne.value, here, host.home);
  const configuration = await readConfiguration(runOptions, {
    named: flags.get('config')?.value as string | undefined,
    folder: program === undefined ? here : dirname(program),
    home: host.home,
    cwd: host.cwd,
  });
  if (configuration?.kind === 'usage') return configuration;
  const launch = typedOne ?? (configuration && (await configuredLaunch(configuration)));
  if (launch === undefined) return nothingToStart(configuration?.file);
  if ('kind' in launch) return launch;

  const options = await merge(runOptions, flags, configuration?.layer ?? new Map());
  if ('kind' in options) return options;
  const configFile = configuration?.file;
  const variants = variantsOf(configuration);
  if (options.get('cwd')?.value !== undefined) return { options, launch, variants, configFile };
  // What a file calls `dist/server.js` lies beside that file, wherever mcp-dev was started.
  const isBesideFile = typedOne === undefined && configFile !== undefined;
  const cwd: Given = isBesideFile
    ? { value: dirname(configFile), origin: launch.origin }
    : { value: host.cwd, origin: { kind: 'default' } };
  return { options: new Map([...options, ['cwd', cwd]]), launch, variants, configFile };
}

function variantsOf(configuration: Configuration | undefined): Given<Variants> {
  const value = configuration?.launch.variants;
  if (configuration === undefined || value === undefined) return { value: {}, origin: { kind: 'default' } };
  return { value, origin: configuration.originOf('variants') };
}

function pick(layer: Layer, key: string): Layer {
  const given = layer.get(key);
  return given === undefined ? new Map() : new Map([[key, given]]);
}

function nothingToStart(configFile: string | undefined): Usage {
  const inFile = configFile === undefined ? '' : `, or as "command" in ${configFile}`;
  return usage(
    'no server to start: name its command after "--" (mcp-dev -- node dist/server.js) or its file ' +
      `(mcp-dev server.ts)${inFile}; mcp-dev --help shows more`,
  );
}
