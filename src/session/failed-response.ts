import type { Line } from '../wire/line.ts';
import { ErrorCode, errorResponse } from '../wire/message.ts';
import type { Failure, Fate } from './failure.ts';
import { ownResult } from './results.ts';
import type { ClientRequest } from './state.ts';

/**
 * The one answer of a request that no generation can answer. A tool call gets a tool result, because clients
 * show those to the model and may hide protocol errors; every other method gets a JSON-RPC error.
 */
export function failedResponse(request: ClientRequest, failure: Failure, fate: Fate): Line {
  const details = {
    'mcp-dev': {
      reason: failure.reason,
      ...(failure.generation === undefined ? {} : { generation: failure.generation }),
      ...fate,
      ...(failure.text === '' ? {} : { stderr: failure.text }),
    },
  };
  if (request.method === 'tools/call') {
    const text = [sentence(failure, fate), failure.text].filter((part) => part !== '').join('\n\n');
    return ownResult(request, { content: [{ type: 'text', text }], isError: true, _meta: details });
  }
  return errorResponse(request.id, ErrorCode.internal, sentence(failure, fate), details);
}

/** The failure as a sentence for whoever called. */
export function sentence(failure: Failure, fate: Fate): string {
  const advice = fate.mayHaveExecuted
    ? 'The request had reached the server and may have taken effect.'
    : 'The request did not reach the server.';
  return `mcp-dev: ${failure.summary}. ${advice}`;
}
