import { type Layer, type Usage, usage } from '../../config/layers.ts';
import type { OptionTable, OptionValues } from '../../config/option.ts';
import { type CommandName, commands } from '../../config/options.ts';
import type { LogSource } from '../../journal/log-ring.ts';
import { isObject, type JsonObject } from '../../wire/message.ts';

/** What is asked of processes that run already. `name` is that of a server, or the number of a process. */
export type Elsewhere = { readonly name: string | undefined } & (
  | { readonly kind: 'status'; readonly json: boolean; readonly watch: boolean }
  | { readonly kind: 'reload'; readonly reason: string | undefined }
  | {
      readonly kind: 'logs';
      readonly follow: boolean;
      readonly source: LogSource | undefined;
      readonly lines: number;
      readonly generation: number | undefined;
    }
  | { readonly kind: 'call'; readonly tool: string; readonly arguments: JsonObject; readonly json: boolean }
  | { readonly kind: 'stop' }
);

/** Makes sense of the words and flags of such a command. */
export function readElsewhere(
  command: Exclude<CommandName, 'run' | 'check' | 'replay' | 'demo'>,
  words: readonly string[],
  flags: Layer,
): Elsewhere | Usage {
  const [name] = words;
  switch (command) {
    case 'status': {
      const { json, watch } = valuesOf(commands.status.options, flags);
      return { kind: 'status', name, json, watch };
    }
    case 'reload':
      return { kind: 'reload', name, reason: valuesOf(commands.reload.options, flags).reason };
    case 'logs': {
      const { follow, source, lines, generation } = valuesOf(commands.logs.options, flags);
      return { kind: 'logs', name, follow, source, lines, generation };
    }
    case 'call':
      return readCall(words, valuesOf(commands.call.options, flags).json);
    case 'stop':
      return { kind: 'stop', name };
  }
}

/** `<tool>`, `<name> <tool>`, `<tool> <json>` or all three: no name of a server or a tool begins with a brace. */
function readCall(words: readonly string[], json: boolean): Elsewhere | Usage {
  const last = words.at(-1);
  const hasArguments = words.length > 1 && (words.length === 3 || last?.trimStart().startsWith('{') === true);
  const [tool, name] = (hasArguments ? words.slice(0, -1) : words).toReversed();
  if (tool === undefined) return usage(`name a tool: mcp-dev ${commands.call.usage[0].form}`);
  if (!hasArguments) return { kind: 'call', name, tool, arguments: {}, json };
  const given = parseObject(last ?? '');
  if (given === undefined) {
    return usage(`the arguments of ${tool} must be a JSON object such as '{"text": "hello"}' (got ${last})`);
  }
  return { kind: 'call', name, tool, arguments: given, json };
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function valuesOf<T extends OptionTable>(table: T, flags: Layer): OptionValues<T> {
  const values = Object.entries(table).map(([key, { fallback }]) => [key, flags.get(key)?.value ?? fallback]);
  // Flags were checked against the table when they were read.
  return Object.fromEntries(values) as OptionValues<T>;
}
