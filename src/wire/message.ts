import type { Id } from './id.ts';
import { Line } from './line.ts';

/** Error codes of JSON-RPC 2.0, section 5.1, and of MCP. */
export const ErrorCode = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  resourceNotFound: -32002,
  unsupportedVersion: -32022,
} as const;

/** A JSON object, as far as anybody here needs to know it. */
export type JsonObject = { [key: string]: unknown };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A request of our own. `id` is written as it is. */
export function request(id: Id, method: string, params: unknown): Line {
  return Line.of(
    `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(method)}${params === undefined ? '' : `,"params":${JSON.stringify(params)}`}}`,
  );
}

export function notification(method: string, params?: unknown): Line {
  return Line.json(params === undefined ? { jsonrpc: '2.0', method } : { jsonrpc: '2.0', method, params });
}

export function result(id: Id, value: unknown): Line {
  return Line.of(`{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify(value)}}`);
}

/** An error response. `id` is `null` where the request's own could not be read. */
export function errorResponse(id: Id | 'null', code: number, message: string, data?: unknown): Line {
  const error = data === undefined ? { code, message } : { code, message, data };
  return Line.of(`{"jsonrpc":"2.0","id":${id},"error":${JSON.stringify(error)}}`);
}
