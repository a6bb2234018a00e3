import { emptyResult, withListChanged } from '../session/capabilities.ts';
import { ErrorCode, isObject, type JsonObject } from '../wire/message.ts';

/*
 * A client behind `mcp-dev` gets the server's answers with some additions. Here they are taken away, or made to both
 * sides, so that what was recorded can be compared with what a server answers by itself.
 */

/** An answer without what `mcp-dev` adds. */
export function comparable(method: string, answer: JsonObject): JsonObject {
  const { result, error } = answer;
  if (!isObject(result)) return { error };
  const plain = withoutNotice(result);
  // `mcp-dev` lets nobody keep an answer, whatever the server said.
  delete plain.ttlMs;
  switch (method) {
    case 'initialize':
    case 'server/discover':
      if (isObject(plain.capabilities)) plain.capabilities = withListChanged(plain.capabilities);
      break;
    case 'tools/list':
      if (Array.isArray(plain.tools)) plain.tools = plain.tools.filter((tool) => !isOwn(tool));
      break;
  }
  return { result: plain };
}

/** Whether a server without a capability may answer so what `mcp-dev` answered in its place. */
export function isRefusalOfNothing(method: string, expected: JsonObject, got: JsonObject): boolean {
  const { error } = got;
  const empty = emptyResult(method);
  return (
    empty !== undefined &&
    isObject(error) &&
    error.code === ErrorCode.methodNotFound &&
    JSON.stringify(expected.result) === JSON.stringify(empty)
  );
}

/** A result without the block of text that says that old code gave it. */
function withoutNotice(result: JsonObject): JsonObject {
  const plain = { ...result };
  const own = isObject(result._meta) ? result._meta['mcp-dev'] : undefined;
  if (!isObject(own) || !Array.isArray(result.content)) return plain;
  const last: unknown = result.content.at(-1);
  const isNotice = isObject(last) && String(last.text).startsWith('mcp-dev:');
  if (isNotice) plain.content = result.content.slice(0, -1);
  return plain;
}

function isOwn(tool: unknown): boolean {
  return isObject(tool) && String(tool.name).startsWith('mcp_dev_');
}
