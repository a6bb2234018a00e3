import type { Id } from '../wire/id.ts';
import type { Line } from '../wire/line.ts';
import { ErrorCode, errorResponse, result } from '../wire/message.ts';

/** Why a request was not answered by the server. The names are part of the public error shape. */
export type Reason =
  | 'server_restarted'
  | 'server_crashed'
  | 'server_down'
  | 'build_failed'
  | 'start_failed'
  | 'hold_timeout';

/** What went wrong, in a form that can be shown to a person, an agent and a script alike. */
export interface Failure {
  readonly reason: Reason;
  /** One sentence without a full stop, for example `the build failed with exit code 2`. */
  readonly summary: string;
  /** The compiler's or the server's own words; empty when there are none. */
  readonly text: string;
  /** The generation that failed, if there was one. */
  readonly generation: number | undefined;
}

/** How far a request got before it failed. */
export interface Fate {
  /** True when it was written to a process, which may have acted on it. */
  readonly mayHaveExecuted: boolean;
  /** True when sending the same request again can do no harm. */
  readonly retryable: boolean;
}

/**
 * The one answer of a request that no generation can answer. A tool call gets a tool result, because clients
 * show those to the model and may hide protocol errors; every other method gets a JSON-RPC error.
 */
export function failedResponse(id: Id, method: string, failure: Failure, fate: Fate): Line {
  const details = {
    'mcp-dev': {
      reason: failure.reason,
      ...(failure.generation === undefined ? {} : { generation: failure.generation }),
      ...fate,
      ...(failure.text === '' ? {} : { stderr: failure.text }),
    },
  };
  if (method === 'tools/call') {
    const text = [sentence(failure, fate), failure.text].filter((part) => part !== '').join('\n\n');
    return result(id, { content: [{ type: 'text', text }], isError: true, _meta: details });
  }
  return errorResponse(id, ErrorCode.internal, sentence(failure, fate), details);
}

/** The failure as a sentence for whoever called. */
export function sentence(failure: Failure, fate: Fate): string {
  const advice = fate.mayHaveExecuted
    ? 'The request had reached the server and may have taken effect.'
    : 'The request did not reach the server.';
  return `mcp-dev: ${failure.summary}. ${advice}`;
}
