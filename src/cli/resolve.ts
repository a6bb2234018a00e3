import type { Usage } from '../config/layers.ts';
import { resolveColor } from '../config/merge.ts';
import { configure, type Host, type RunConfig } from '../config/run-config.ts';
import { readSettings } from '../config/settings.ts';
import { packageVersion } from '../system/package.ts';
import type { CheckConfig } from './check-config.ts';
import type { Elsewhere } from './elsewhere/command.ts';
import { type Parsed, parse } from './parse.ts';
import type { ReplayConfig } from './replay-config.ts';

/** What the command line asks for. `usage` is one sentence without prefix, for exit code 2. */
export type Resolved =
  | { readonly kind: 'run'; readonly config: RunConfig }
  | { readonly kind: 'replay'; readonly config: ReplayConfig }
  | { readonly kind: 'check'; readonly config: CheckConfig }
  | { readonly kind: 'demo'; readonly color: boolean }
  /** To talk to processes that run already. `color` is about stdout. */
  | { readonly kind: 'elsewhere'; readonly command: Elsewhere; readonly color: boolean }
  /** To be printed on stdout, after which nothing is left to do. */
  | { readonly kind: 'help' | 'version' | 'dump'; readonly text: string }
  | Usage;

/**
 * Reads the words after `mcp-dev`, the configuration file and what lies on disk into one checked whole. What a session
 * needs is there at once, and the rest is loaded by who asks for it.
 */
export async function resolve(argv: readonly string[], host: Host): Promise<Resolved> {
  const parsed = parse(argv);
  switch (parsed.kind) {
    case 'usage':
      return parsed;
    case 'help': {
      const { helpText } = await import('./help.ts');
      return { kind: 'help', text: helpText(parsed.command) };
    }
    case 'version':
      return { kind: 'version', text: packageVersion() };
    case 'parsed':
      break;
  }
  switch (parsed.command) {
    case 'demo':
      return { kind: 'demo', color: resolveColor(parsed.flags.get('color'), host).value };
    case 'replay': {
      const { replayConfig } = await import('./replay-config.ts');
      return await replayConfig(parsed, host);
    }
    case 'check': {
      const { checkConfig } = await import('./check-config.ts');
      const config = await checkConfig(parsed, host);
      return 'kind' in config ? config : { kind: 'check', config };
    }
    case 'run':
      return await resolveRun(parsed, host);
    default: {
      const { readElsewhere } = await import('./elsewhere/command.ts');
      const command = readElsewhere(parsed.command, parsed.words, parsed.flags);
      if (command.kind === 'usage') return command;
      const onStdout = { ...host, stderrIsTTY: host.stdoutIsTTY };
      const color = resolveColor(parsed.flags.get('color'), onStdout).value;
      return { kind: 'elsewhere', command, color };
    }
  }
}

async function resolveRun(parsed: Extract<Parsed, { kind: 'parsed' }>, host: Host): Promise<Resolved> {
  const settings = await readSettings(parsed, host);
  if ('kind' in settings) return settings;
  const configured = configure(settings, host);
  if (configured.kind === 'usage') return configured;
  const { config, options } = configured;
  if (options.get('dump')?.value !== true) return { kind: 'run', config };
  const { launch, variants, configFile } = settings;
  const { dumpText } = await import('./dump.ts');
  return { kind: 'dump', text: await dumpText({ options, launch, variants, root: config.root, configFile }) };
}
