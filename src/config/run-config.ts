import { dirname } from 'node:path';
import { readEnvironment } from './environment.ts';
import { isInspected, type Launch, programFile } from './launch.ts';
import { type Given, type Usage, usage } from './layers.ts';
import { resolveColor } from './merge.ts';
import type { OptionValues } from './option.ts';
import type { runOptions } from './options.ts';
import { upwards } from './paths.ts';
import { isTopLevel, projectName, projectRoot } from './project.ts';
import type { Settings } from './settings.ts';
import type { Variants } from './variants.ts';

export type { Launch } from './launch.ts';

/** All that a session needs to know, checked. Durations are milliseconds, paths absolute. */
export interface RunConfig {
  /** Where the server runs. */
  readonly cwd: string;
  /** Where the build runs. */
  readonly buildCwd: string;
  readonly name: string;
  readonly launch: Launch;
  /** The file of the program, if it is known which one that is. */
  readonly entry: string | undefined;
  /** The project root. */
  readonly root: string;
  /** Whether changes of files reload; otherwise the files are not looked at. */
  readonly watches: boolean;
  /** What `--watch` named, paths and globs; empty means the root. */
  readonly watch: readonly string[];
  /** Globs relative to the root. */
  readonly ignore: readonly string[];
  /** Without dots. */
  readonly extensions: ReadonlySet<string> | 'all';
  /** A shell command; `''` and undefined are no build. */
  readonly build: string | undefined;
  /** Undefined is adaptive. */
  readonly debounce: number | undefined;
  /** Globs of the caches to remove. */
  readonly clear: readonly string[];
  readonly exclusive: 'auto' | 'on' | 'off';
  /** Which packages a process loads that waits to be the next generation; `off`: no process waits. */
  readonly standby: 'safe' | 'deps' | 'off';
  readonly hold: number;
  readonly drain: number;
  /** The same while the next generation waits for the end of this one. */
  readonly exclusiveDrain: number;
  readonly replay: 'safe' | 'idempotent' | 'never';
  readonly stale: 'notice' | 'error' | 'silent';
  /** Nothing is added or changed that the client could see. */
  readonly transparent: boolean;
  /** The client is offered tools of `mcp-dev`. */
  readonly tools: boolean;
  /** These may start any other command, and not only variants. */
  readonly allowCommands: boolean;
  readonly variants: Variants;
  readonly readyTimeout: number;
  readonly signal: NodeJS.Signals;
  readonly killTimeout: number;
  /** Undefined is file events. */
  readonly poll: number | undefined;
  readonly envFiles: readonly string[];
  /** The variables of build and server; `readEnvironment` reads them again. */
  readonly env: NodeJS.ProcessEnv;
  /** Asked for by flag or file; whether stdin is a TTY is for the caller to see. */
  readonly terminal: boolean;
  readonly configFile: string | undefined;
  readonly logFile: string | undefined;
  /** Where events are appended: a file, a named pipe or a device. */
  readonly events: string | undefined;
  /** The file of the recording. */
  readonly record: string | undefined;
  /** Keys whose values are masked in what is written to files. */
  readonly redact: readonly string[];
  readonly verbosity: 'quiet' | 'normal' | 'verbose';
  readonly color: boolean;
}

/** The surroundings of the process. */
export interface Host {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly home: string;
  readonly stdoutIsTTY: boolean;
  readonly stderrIsTTY: boolean;
}

/** A configuration, with the origin of each value. */
export interface Configured {
  readonly kind: 'configured';
  readonly config: RunConfig;
  readonly options: ReadonlyMap<string, Given>;
}

/** Everybody waits for a generation that drains before the next one may start, so it gets less time. */
const EXCLUSIVE_DRAIN_MS = 10_000;

/**
 * What follows from the settings: the project, its name and the variables. Who does not watch needs no project: then
 * the folder of the program, or the one where it runs, stands for it, and nothing is cleared there.
 */
export function configure(
  { options, launch, variants, configFile }: Settings,
  host: Host,
  watches = true,
): Configured | Usage {
  const given = Object.fromEntries([...options].map(([key, { value }]) => [key, value]));
  // Flags were checked when they were read, and the file by its schema: every value has the type of its row.
  const values = given as OptionValues<typeof runOptions>;
  const cwd = values.cwd ?? host.cwd;
  const entry = programFile(launch.value, cwd, host.home);
  const beside = entry === undefined ? cwd : dirname(entry);
  const project = projectRoot(beside, host.home);
  // A program in a folder without a project is one all the same; without a program any folder would be a guess.
  const isGuess = project === 'none' && (entry === undefined || isTopLevel(beside, host.home));
  const isNowhere = values.watch.length === 0 && (isGuess || project === 'too-much');
  if (watches && isNowhere) {
    return usage(
      `there is no package.json, pyproject.toml or .git at or above ${beside} (the home folder and / are never ` +
        'taken as the project); say what to watch with --watch',
    );
  }
  const root = typeof project === 'string' ? beside : project.folder;
  const environment = readEnvironment(values.envFile, host.env);
  if (environment.kind === 'usage') return environment;
  const name = values.name === undefined ? projectName(root) : options.get('name')!;
  const color = resolveColor(options.get('color'), host);

  const inspected = isInspected(launch.value, environment.env);
  const exclusiveDrain = options.get('drain')?.origin.kind === 'default' ? EXCLUSIVE_DRAIN_MS : values.drain;

  return {
    kind: 'configured',
    options: new Map<string, Given>([...options, ['name', name], ['color', color]]),
    config: {
      cwd,
      buildCwd: buildFolder(options.get('cwd')!, root, host.home),
      name: name.value as string,
      launch: launch.value,
      entry,
      root,
      watches,
      watch: values.watch,
      ignore: values.ignore,
      extensions: values.ext.includes('*')
        ? 'all'
        : new Set(values.ext.map((ending) => ending.replace(/^\./, ''))),
      build: values.build,
      debounce: values.debounce,
      clear: isNowhere ? [] : values.clear,
      // A debugger keeps its port, and whoever looks at a program with it takes all the time in the world.
      exclusive: inspected ? 'on' : values.exclusive,
      standby: inspected ? 'off' : values.standby,
      hold: values.hold,
      drain: inspected ? Number.POSITIVE_INFINITY : values.drain,
      exclusiveDrain: inspected ? Number.POSITIVE_INFINITY : exclusiveDrain,
      replay: values.replay,
      stale: values.stale,
      transparent: values.transparent,
      tools: values.tools && !values.transparent,
      allowCommands: values.allowCommands,
      variants: variants.value,
      readyTimeout: inspected ? Number.POSITIVE_INFINITY : values.readyTimeout,
      signal: values.signal,
      killTimeout: values.killTimeout,
      poll: values.poll,
      envFiles: values.envFile,
      env: environment.env,
      terminal: values.terminal,
      configFile,
      logFile: values.logFile,
      events: values.events,
      record: values.record,
      redact: values.redact,
      verbosity: values.quiet ? 'quiet' : values.verbose ? 'verbose' : 'normal',
      color: color.value,
    },
  };
}

/** A client starts us wherever it likes, often in / or in the home folder, but a build belongs to its project. */
function buildFolder(cwd: Given, root: string, home: string): string {
  const folder = cwd.value as string;
  if (cwd.origin.kind !== 'default') return folder;
  const isInside = [...upwards(folder)].includes(root);
  // The top of a workspace knows how to build what lies in it.
  const isAbove = [...upwards(root)].includes(folder) && typeof projectRoot(folder, home) === 'object';
  return isInside || isAbove ? folder : root;
}
