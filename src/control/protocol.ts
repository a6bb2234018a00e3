import { LOG_SOURCES, type LogLine, type LogQuery, type LogSource } from '../journal/log-ring.ts';
import type { ReloadOutcome } from '../reload/awaited.ts';
import type { ServerStatus } from '../reload/status.ts';
import { isObject, type JsonObject } from '../wire/message.ts';

/*
 * What is said on the socket of a running `mcp-dev`: lines of JSON. It greets with `hello`; whoever connected asks for
 * one thing, gets replies, and the connection ends.
 */

/** Changes when older programs could not make sense of what is said any more. */
export const CONTROL_PROTOCOL = 1;

/** Who it is that was reached. */
export interface Hello {
  readonly reply: 'hello';
  readonly protocol: number;
  /** Of the program. */
  readonly version: string;
  /** What the server under development is called. */
  readonly name: string;
  /** Where it was started, and the project root. */
  readonly cwd: string;
  readonly root: string;
  /** Of `mcp-dev` itself. */
  readonly pid: number;
  /** Ms since the epoch. */
  readonly startedAt: number;
}

/** What can be asked for. */
export type Ask =
  /** `follow`: again after each change, until the connection is closed. */
  | { readonly ask: 'status'; readonly follow: boolean }
  | { readonly ask: 'reload'; readonly reason?: string | undefined }
  | ({ readonly ask: 'logs'; readonly follow: boolean } & LogQuery)
  | { readonly ask: 'call'; readonly tool: string; readonly arguments: JsonObject }
  /** Ends it as SIGTERM would; the connection stays until it is gone. */
  | { readonly ask: 'stop' };

/** What comes back. */
export type Reply =
  | Hello
  | { readonly reply: 'status'; readonly status: ServerStatus }
  | { readonly reply: 'reload'; readonly outcome: ReloadOutcome }
  | { readonly reply: 'line'; readonly line: LogLine }
  /** `response` is the JSON-RPC response, with `result` or `error`. */
  | { readonly reply: 'call'; readonly response: JsonObject }
  | { readonly reply: 'stopping' }
  | { readonly reply: 'refused'; readonly why: string };

/** Reads what somebody asks for; a sentence if it is nothing that can be had. */
export function readAsk(value: unknown): Ask | string {
  if (!isObject(value)) return 'this is no line of JSON with an object';
  if (value.protocol !== CONTROL_PROTOCOL) {
    return `protocol ${JSON.stringify(value.protocol) ?? 'none'} was asked for, and this is ${CONTROL_PROTOCOL}`;
  }
  switch (value.ask) {
    case 'status':
      return { ask: 'status', follow: value.follow === true };
    case 'reload': {
      const { reason } = value;
      if (reason !== undefined && typeof reason !== 'string') return '"reason" must be a string';
      return { ask: 'reload', reason };
    }
    case 'logs':
      return readLogs(value);
    case 'call': {
      const { tool, arguments: given } = value;
      if (typeof tool !== 'string') return '"tool" must be a string';
      if (!isObject(given)) return '"arguments" must be an object';
      return { ask: 'call', tool, arguments: given };
    }
    case 'stop':
      return { ask: 'stop' };
    default:
      return `nobody knows what ${JSON.stringify(value.ask) ?? 'nothing'} is`;
  }
}

function readLogs({ source, lines, generation, follow }: JsonObject): Ask | string {
  if (source !== undefined && !isLogSource(source))
    return `"source" must be one of ${LOG_SOURCES.join(', ')}`;
  if (!isCount(lines)) return '"lines" must be a whole number';
  if (generation !== undefined && !isCount(generation)) return '"generation" must be a whole number';
  return { ask: 'logs', follow: follow === true, source, lines, generation };
}

function isLogSource(value: unknown): value is LogSource {
  return (LOG_SOURCES as readonly unknown[]).includes(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
