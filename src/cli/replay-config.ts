import { readEnvironment } from '../config/environment.ts';
import { type Launch, typedLaunch } from '../config/launch.ts';
import { type Usage, usage } from '../config/layers.ts';
import { merge, resolveColor } from '../config/merge.ts';
import type { OptionValues } from '../config/option.ts';
import { replayOptions } from '../config/options.ts';
import { placePath } from '../config/paths.ts';
import { placePaths } from '../config/placement.ts';
import type { Host } from '../config/run-config.ts';
import type { Parsed } from './parse.ts';

/** All that a replay needs to know, checked. */
export interface ReplayConfig {
  /** absolute */
  readonly recording: string;
  readonly launch: Launch;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly timeout: number;
  readonly ignoreTimes: boolean;
  /** Paths in answers. */
  readonly ignore: readonly string[];
  readonly color: boolean;
}

/** What `mcp-dev replay` is asked for. */
export async function replayConfig(
  { flags, recording, entry, rest }: Extract<Parsed, { kind: 'parsed' }>,
  host: Host,
): Promise<{ readonly kind: 'replay'; readonly config: ReplayConfig } | Usage> {
  const example = 'mcp-dev replay session.ndjson -- node dist/server.js';
  if (recording === undefined) return usage(`name the recording and the command of the server: ${example}`);
  const placed = await placePaths(replayOptions, flags, host.cwd);
  if ('kind' in placed) return placed;
  const merged = await merge(replayOptions, placed, new Map());
  if ('kind' in merged) return merged;
  const given = Object.fromEntries([...merged].map(([key, { value }]) => [key, value]));
  const values = given as OptionValues<typeof replayOptions>;
  const file = await placePath(host.cwd, recording, 'file');
  if (file.problem !== undefined) return usage(`the recording is ${file.path}, ${file.problem}`);
  const launch = typedLaunch(entry, rest, host.cwd);
  if (launch === undefined) return usage(`name the command of the server after "--": ${example}`);
  if ('kind' in launch) return launch;
  const environment = readEnvironment(values.envFile, host.env);
  if (environment.kind === 'usage') return environment;
  const { timeout, ignoreTimes, ignore } = values;
  const config = {
    recording: file.path,
    launch: launch.value,
    cwd: values.cwd ?? host.cwd,
    env: environment.env,
    timeout,
    ignoreTimes,
    ignore,
    // The report goes to stdout.
    color: resolveColor(flags.get('color'), { ...host, stderrIsTTY: host.stdoutIsTTY }).value,
  };
  return { kind: 'replay', config };
}
