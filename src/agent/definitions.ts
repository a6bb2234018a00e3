import { DEFAULT_VARIANT } from '../config/variants.ts';
import { LOG_SOURCES } from '../journal/log-ring.ts';
import type { JsonObject } from '../wire/message.ts';

/** A tool as `tools/list` shows it (2025-11-25 and 2026-07-28, server, tools). */
export interface ToolDefinition extends JsonObject {
  readonly name: string;
  readonly inputSchema: ObjectSchema;
}

/** The part of JSON Schema that our arguments are described with, and checked by. */
export type ValueSchema = { readonly description?: string } & (
  | { readonly type: 'string'; readonly enum?: readonly string[] }
  | { readonly type: 'integer'; readonly minimum: number; readonly maximum: number }
  | { readonly type: 'array'; readonly items: { readonly type: 'string' } }
  | { readonly type: 'object'; readonly additionalProperties: true | { readonly type: 'string' } }
);

export interface ObjectSchema {
  readonly type: 'object';
  readonly properties: Readonly<Record<string, ValueSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties: false;
}

/** What the definitions depend on. */
export interface ToolSettings {
  /** What the server under development is called. */
  readonly server: string;
  /** The names of its variants. */
  readonly variants: readonly string[];
  readonly allowCommands: boolean;
}

/** How long `mcp_dev_reload` waits: clients give up on a call after 60 s. */
export const RELOAD_WAIT_MS = 45_000;
/** Lines of the log that are shown unless a number is given, and the most that are. */
export const LOG_LINES = { usual: 50, most: 1000 } as const;

const MOST_GENERATIONS = 2 ** 31 - 1;

/** The tools that are offered besides those of the server, in their order. */
export function toolDefinitions(settings: ToolSettings): readonly ToolDefinition[] {
  return [status(settings), reload(settings), logs(settings), call(settings)];
}

function status({ server }: ToolSettings): ToolDefinition {
  return {
    name: 'mcp_dev_status',
    title: 'mcp-dev: state of the server under development',
    description:
      `Shows the state of the MCP server "${server}", which is under development: mcp-dev runs it behind this session, ` +
      'and builds and restarts it at each save of its source. Tells whether the newest source is what serves; the ' +
      'last reloads with the tools that each added, removed or changed; why the newest source does not build or start, ' +
      "in the compiler's or the server's own words; how often it crashed; what is watched. Changes nothing.",
    inputSchema: objectOf({ server: serverArgument(server) }),
    outputSchema: {
      type: 'object',
      properties: {
        server: { type: 'string' },
        state: {
          enum: ['serving', 'stale', 'building', 'starting', 'restarting', 'down'],
          description:
            'serving: the newest source serves; stale: old code serves, as the newest source does not work; ' +
            'building, starting: a reload is on its way; restarting: it crashed and comes back by itself; ' +
            'down: nothing serves until the source changes',
        },
        generation: { type: 'integer', description: 'which process serves, counted from 1' },
        pid: { type: 'integer' },
        uptimeMs: { type: 'number' },
        era: { enum: ['legacy', 'modern'] },
        protocolVersion: { type: 'string' },
        watched: { type: 'array', items: { type: 'string' } },
        choice: choiceSchema,
        stale: { ...errorSchema, description: 'why the newest source does not work' },
        reloads: {
          type: 'array',
          items: reloadSchema,
          description: 'the last ones, the oldest first; of errors before the last one only the summary',
        },
        crashes: { type: 'integer' },
        strayLines: {
          type: 'integer',
          description: 'lines on stdout that were no MCP messages; print to stderr instead',
        },
        hints: { type: 'array', items: { type: 'string' } },
        standby: {
          type: 'object',
          description:
            'the process that waits to be the next one, with its packages loaded, or why there is none',
          properties: {
            kind: { enum: ['waiting', 'loading', 'none'] },
            pid: { type: 'integer' },
            residentBytes: { type: 'number' },
            reason: { type: 'string' },
          },
          required: ['kind'],
        },
      },
      required: ['server', 'state', 'watched', 'reloads', 'crashes', 'strayLines', 'hints'],
    },
    annotations: { readOnlyHint: true, openWorldHint: false },
  };
}

function reload({ server, variants, allowCommands }: ToolSettings): ToolDefinition {
  return {
    name: 'mcp_dev_reload',
    title: 'mcp-dev: rebuild and restart the server under development',
    description:
      `Builds and restarts the MCP server "${server}", which is under development, waits until that has ended ` +
      `(${RELOAD_WAIT_MS / 1000} s at most), and tells the outcome. Call it after an edit of the server's source: a save ` +
      'reloads by itself, but this answers with what came of it, which is either the tools that were added, removed ' +
      'or changed, or the error text of the compiler or the server. After a failure the code before goes on serving. The ' +
      'session stays open, and no request is lost.',
    inputSchema: objectOf({
      server: serverArgument(server),
      reason: { type: 'string', description: 'why, for the log' },
      ...(variants.length > 0 || allowCommands ? { variant: variantArgument(variants) } : {}),
      ...(allowCommands ? COMMAND_ARGUMENTS : {}),
    }),
    outputSchema: {
      type: 'object',
      properties: {
        server: { type: 'string' },
        state: { type: 'string', description: 'as in mcp_dev_status; building: it has not ended yet' },
        ...reloadSchema.properties,
        earlier: {
          type: 'array',
          items: reloadSchema,
          description:
            'successful reloads before this one that you were not told of, such as by your last save',
        },
        choice: choiceSchema,
      },
      required: ['server', 'state', 'added', 'removed', 'changed', 'earlier'],
    },
    annotations: {
      readOnlyHint: false,
      destructiveHint: allowCommands,
      idempotentHint: !allowCommands,
      openWorldHint: allowCommands,
    },
  };
}

function logs({ server }: ToolSettings): ToolDefinition {
  return {
    name: 'mcp_dev_logs',
    title: 'mcp-dev: log of the server under development',
    description:
      `Shows the last lines of the log of the MCP server "${server}", which is under development: what it and its builds ` +
      'printed, its MCP log messages, and what mcp-dev says of reloads. Print to stderr in the server to see it here. ' +
      'Changes nothing.',
    inputSchema: objectOf({
      server: serverArgument(server),
      source: {
        type: 'string',
        enum: LOG_SOURCES,
        description:
          'only lines from there: server is its stderr, build the output of builds, mcp-dev the proxy itself, ' +
          'messages the log messages that the server sent over MCP; all of them by default',
      },
      lines: {
        type: 'integer',
        minimum: 1,
        maximum: LOG_LINES.most,
        description: `how many lines at most; ${LOG_LINES.usual} by default`,
      },
      generation: {
        type: 'integer',
        minimum: 1,
        maximum: MOST_GENERATIONS,
        description: 'only lines of this process of the server, counted from 1',
      },
    }),
    outputSchema: {
      type: 'object',
      properties: {
        server: { type: 'string' },
        lines: {
          type: 'array',
          description: 'the oldest first',
          items: {
            type: 'object',
            properties: {
              time: { type: 'number', description: 'ms since the epoch' },
              source: { enum: LOG_SOURCES },
              generation: { type: 'integer' },
              text: { type: 'string' },
            },
            required: ['time', 'source', 'text'],
          },
        },
        omitted: { type: 'integer', description: 'lines before these that would have been too much' },
      },
      required: ['server', 'lines', 'omitted'],
    },
    annotations: { readOnlyHint: true, openWorldHint: false },
  };
}

/** Without an output schema: the result is that of the tool which is called. */
function call({ server }: ToolSettings): ToolDefinition {
  return {
    name: 'mcp_dev_call',
    title: 'mcp-dev: call a tool that is not in your list',
    description:
      `Calls a tool of the MCP server "${server}", which is under development. It is for tools that are not in your list ` +
      'because they were added to the source after you had read it: mcp_dev_reload and mcp_dev_status name them. The ' +
      'result is the result of that tool, as if it had been called directly, which is the better way for all tools that ' +
      'are in your list.',
    inputSchema: objectOf(
      {
        server: serverArgument(server),
        tool: { type: 'string', description: 'the name of the tool to call' },
        arguments: {
          type: 'object',
          additionalProperties: true,
          description: 'what the tool gets, as its inputSchema has it; {} by default',
        },
      },
      ['tool'],
    ),
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  };
}

function objectOf(properties: ObjectSchema['properties'], required: readonly string[] = []): ObjectSchema {
  const needed = required.length === 0 ? {} : { required };
  return { type: 'object', properties, ...needed, additionalProperties: false };
}

function serverArgument(server: string): ValueSchema {
  return {
    type: 'string',
    description: `the name of the server; there is one, "${server}", which is the default`,
  };
}

function variantArgument(variants: readonly string[]): ValueSchema {
  return {
    type: 'string',
    enum: [DEFAULT_VARIANT, ...variants],
    description:
      'which variant of the server to start from now on, as its configuration names them; it stays until another one ' +
      `is chosen, "${DEFAULT_VARIANT}" goes back to the server as configured`,
  };
}

const COMMAND_ARGUMENTS: ObjectSchema['properties'] = {
  command: {
    type: 'string',
    description:
      'the program to start instead of the configured one. This, "args" and "env" change the variant that is named ' +
      'beside them, or the server as configured, and together replace what was chosen before',
  },
  args: {
    type: 'array',
    items: { type: 'string' },
    description: 'all arguments of the program, instead of the configured ones',
  },
  env: {
    type: 'object',
    additionalProperties: { type: 'string' },
    description: 'variables to add to the environment of the server',
  },
};

const errorSchema = {
  type: 'object',
  properties: {
    reason: { type: 'string' },
    summary: { type: 'string' },
    text: { type: 'string', description: "the compiler's or the server's own words" },
  },
  required: ['reason', 'summary', 'text'],
} as const;

const choiceSchema = {
  type: 'object',
  description: 'what was chosen to run instead of the server as configured; absent when nothing was',
  properties: {
    variant: { type: 'string' },
    command: { type: 'string' },
    args: { type: 'array', items: { type: 'string' } },
    variables: {
      type: 'array',
      items: { type: 'string' },
      description: 'names of the variables that are added',
    },
  },
} as const;

const names = (description: string) => ({ type: 'array', items: { type: 'string' }, description }) as const;

const reloadSchema = {
  type: 'object',
  properties: {
    ok: { type: 'boolean', description: 'whether it succeeded; absent while that is open' },
    time: { type: 'number', description: 'when it ended; ms since the epoch' },
    generation: { type: 'integer', description: 'the process that serves since then, counted from 1' },
    trigger: { type: 'object', properties: { kind: { type: 'string' } }, required: ['kind'] },
    ms: {
      type: 'object',
      description: 'the time that each phase took',
      additionalProperties: { type: 'number' },
    },
    added: names('such as "tool add"'),
    removed: names('such as "tool add"'),
    changed: names('with the members that differ, such as "tool add inputSchema"'),
    error: errorSchema,
  },
} as const;
