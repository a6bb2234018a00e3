import { resolve } from 'node:path';
import type { CheckOptions, WantedCall } from '../check/bench.ts';
import type { Format } from '../check/format.ts';
import { type Usage, usage } from '../config/layers.ts';
import { merge, resolveColor } from '../config/merge.ts';
import type { OptionValues } from '../config/option.ts';
import { checkOnlyOptions } from '../config/options.ts';
import { placePaths } from '../config/placement.ts';
import { configure, type Host, type RunConfig } from '../config/run-config.ts';
import { readSettings } from '../config/settings.ts';
import { isObject } from '../wire/message.ts';
import type { Parsed } from './parse.ts';

/** A smoke run, checked against the disk. */
export interface CheckConfig {
  /** Each is checked, one after another. */
  readonly servers: readonly RunConfig[];
  readonly options: CheckOptions;
  readonly format: Format;
  /** The file of the report, absolute; undefined is stdout. */
  readonly output: string | undefined;
  /** For the report. */
  readonly color: boolean;
  /** For stderr. */
  readonly verbosity: RunConfig['verbosity'];
}

/** Puts a command line and the configuration together that the main command would have as well. */
export async function checkConfig(
  parsed: Extract<Parsed, { kind: 'parsed' }>,
  host: Host,
): Promise<CheckConfig | Usage> {
  const settings = await readSettings(parsed, host);
  if ('kind' in settings) return settings;
  const configured = configure(settings, host, false);
  if (configured.kind === 'usage') return configured;
  // As with the paths of other flags, those of the report start where --cwd leads.
  const here = resolve(host.cwd, String(parsed.flags.get('cwd')?.value ?? '.'));
  const flags = await placePaths(checkOnlyOptions, parsed.flags, here);
  if ('kind' in flags) return flags;
  const merged = await merge(checkOnlyOptions, flags, new Map());
  if ('kind' in merged) return merged;
  const given = Object.fromEntries([...merged].map(([key, { value }]) => [key, value]));
  const values = given as OptionValues<typeof checkOnlyOptions>;
  const calls: WantedCall[] = [];
  for (const text of values.call) {
    const call = readCall(text);
    if ('kind' in call) return call;
    calls.push(call);
  }
  const { expectTool, era, timeout, reload, format, output } = values;
  return {
    servers: [configured.config],
    options: { expectTool: [...new Set(expectTool)], calls, era, timeout, reload },
    format,
    output,
    color:
      output === undefined &&
      resolveColor(settings.options.get('color'), { ...host, stderrIsTTY: host.stdoutIsTTY }).value,
    verbosity: configured.config.verbosity,
  };
}

/** `add={"a":1}`: a name up to the first `=`, and a JSON object. */
function readCall(text: string): WantedCall | Usage {
  const wrong = (what: string): Usage =>
    usage(`--call ${what} (got ${JSON.stringify(text)}); it is written as in --call 'add={"a":1,"b":2}'`);
  const [, tool, json] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (tool === undefined || json === undefined)
    return wrong('needs the name of a tool, "=" and its arguments');
  try {
    const args: unknown = JSON.parse(json);
    return isObject(args) ? { tool, args } : wrong(`needs a JSON object as the arguments of ${tool}`);
  } catch (error) {
    if (error instanceof SyntaxError) return wrong(`has no valid JSON as the arguments of ${tool}`);
    throw error;
  }
}
