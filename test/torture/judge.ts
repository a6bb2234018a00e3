import type { JsonObject, Message } from '../kit/messages.ts';

/** What is asked; `work` is the one call that may not be sent twice, `die` ends the process that gets it. */
export type Kind = 'look' | 'work' | 'die' | 'read' | 'list' | 'ping';

export interface Asked {
  readonly nonce: number;
  readonly kind: Kind;
  /** The newest version of the source that any answer had shown when this was sent. */
  readonly newest: number;
}

export type Outcome =
  | { readonly outcome: 'right'; readonly version: number | undefined; readonly stale: boolean }
  | { readonly outcome: 'failed'; readonly reason: string; readonly mayHaveExecuted: boolean }
  | { readonly outcome: 'wrong'; readonly why: string };

/** Results of these say so when old code gave them; lists and pings do not. */
const TELLS_STALENESS: ReadonlySet<Kind> = new Set<Kind>(['look', 'work', 'die', 'read']);
const CALLS: ReadonlySet<Kind> = new Set<Kind>(['look', 'work', 'die']);

/** Looks at the one answer of a request. `reasons` are those that a failure may give in this run. */
export function judge(asked: Asked, answer: Message, reasons: ReadonlySet<string>): Outcome {
  const meta = answer.result?._meta as JsonObject | undefined;
  const details = (answer.error === undefined ? meta : answer.error.data)?.['mcp-dev'] as
    | JsonObject
    | undefined;
  if (asked.kind === 'ping') return judgePing(asked, answer);
  const isToolError = answer.result?.isError === true;
  if (answer.error !== undefined || isToolError)
    return judgeFailure(asked, answer, isToolError, details, reasons);
  if (answer.result === undefined) return wrong('neither a result nor an error');

  const from = meta?.torture as { readonly nonce: number; readonly version: number } | undefined;
  if (asked.kind === 'list' && isListOfNoServer(answer.result))
    return { outcome: 'failed', reason: 'server_down', mayHaveExecuted: false };
  if (from?.nonce !== asked.nonce) return wrong(`the answer of request ${from?.nonce}`);
  const stale = details?.stale === true;
  if (stale && !reasons.has(String(details?.reason))) return wrong(`stale because of ${details?.reason}`);
  if (from.version < asked.newest && !stale && TELLS_STALENESS.has(asked.kind))
    return wrong(`version ${from.version} without a mark, though ${asked.newest} had been served`);
  return { outcome: 'right', version: from.version, stale };
}

/** While it is certain that nothing can answer, a list is empty but for the tools of mcp-dev. */
function isListOfNoServer({ tools }: JsonObject): boolean {
  return Array.isArray(tools) && tools.every(({ name }) => String(name).startsWith('mcp_dev_'));
}

/** A ping never fails. A server of this run says in its answer for which request it is; mcp-dev's own is empty. */
function judgePing({ nonce }: Asked, { result }: Message): Outcome {
  if (result === undefined) return wrong('a ping that failed');
  const from = (result._meta as JsonObject | undefined)?.torture as { readonly nonce: number } | undefined;
  if (from === undefined ? Object.keys(result).length > 0 : from.nonce !== nonce)
    return wrong(`the answer of request ${from?.nonce} to a ping`);
  return { outcome: 'right', version: undefined, stale: false };
}

function judgeFailure(
  asked: Asked,
  answer: Message,
  isToolError: boolean,
  details: JsonObject | undefined,
  reasons: ReadonlySet<string>,
): Outcome {
  if (isToolError !== CALLS.has(asked.kind)) return wrong('the other shape of a failure');
  if (answer.error !== undefined && answer.error.code !== -32603) return wrong(`code ${answer.error.code}`);
  const { reason, mayHaveExecuted, retryable } = details ?? {};
  if (typeof reason !== 'string' || !reasons.has(reason)) return wrong(`failed because of ${reason}`);
  if (typeof mayHaveExecuted !== 'boolean' || typeof retryable !== 'boolean') return wrong('no fate');
  if (retryable && mayHaveExecuted && asked.kind === 'work') return wrong('retryable though it may be done');
  return { outcome: 'failed', reason, mayHaveExecuted };
}

function wrong(why: string): Outcome {
  return { outcome: 'wrong', why };
}
