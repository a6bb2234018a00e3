import type { Line } from '../wire/line.ts';
import { ErrorCode, errorResponse } from '../wire/message.ts';
import { isSafe } from './again.ts';
import { emptyResult } from './capabilities.ts';
import { LIST_METHODS } from './catalogue.ts';
import { DISCOVER, discoveryAlone } from './discovery.ts';
import { failedResponse } from './failed-response.ts';
import type { Failure, Fate } from './failure.ts';
import { settleAlone } from './modern.ts';
import { withOwnTools } from './own-tools.ts';
import { rememberEffect } from './requests.ts';
import { ownResult } from './results.ts';
import { type ClientRequest, type State, toClient } from './state.ts';

/** Gives a request its one answer; with its batch, if it came in one. */
export function answer(state: State, request: ClientRequest, line: Line): void {
  state.requests.delete(request);
  if (request.call !== undefined) {
    state.emit({ do: 'answer-call', call: request.call, line });
    return;
  }
  const whole = request.method === 'tools/list' ? withOwnTools(state, request, line) : line;
  if (request.batch === undefined) toClient(state, whole);
  else sendBatch(state, request.batch.answer(whole));
}

/** Forgets a request that the client wants no answer to. */
export function leaveUnanswered(state: State, request: ClientRequest): void {
  state.requests.delete(request);
  if (request.batch !== undefined) sendBatch(state, request.batch.cancel());
}

function sendBatch(state: State, whole: Line | undefined): void {
  if (whole !== undefined) toClient(state, whole);
}

/** Answers a request with the reason why no generation can. */
export function refuse(state: State, request: ClientRequest, failure: Failure): void {
  const { method, interrupted } = request;
  fail(state, request, interrupted ?? failure, {
    mayHaveExecuted: interrupted !== undefined,
    retryable: interrupted === undefined || isSafe(method),
  });
}

/** Answers a request with what became of it. */
export function fail(state: State, request: ClientRequest, failure: Failure, fate: Fate): void {
  const alone = request.method === DISCOVER;
  answer(state, request, alone ? discoveryAlone(state, request) : failedResponse(request, failure, fate));
}

/**
 * Answers a request while the server is down for certain. Lists are empty instead of failing: a client that
 * gets an error for its first list gives up on the server, and would not read it again once it is healed.
 */
export function answerDown(state: State, request: ClientRequest, failure: Failure): void {
  const empty = emptyResult(request.method);
  if (empty === undefined || request.method === 'completion/complete') {
    refuse(state, request, failure);
    return;
  }
  rememberEffect(state, request);
  forgetList(state, request.method);
  answer(state, request, ownResult(request, empty));
  settleAlone(state, request);
}

/**
 * The client knows an empty list from now on, whatever the last generation had: what the next one has is news. Of tools
 * it is told in any case, and the log compares with what it knows.
 */
function forgetList(state: State, method: string): void {
  if (method === 'tools/list') state.catalogue.set(method, []);
  else for (const list of LIST_METHODS) if (list === method) state.catalogue.delete(list);
}

/** Refuses a message that is none that the protocol knows (JSON-RPC 2.0, section 5.1). */
export function refuseInvalid(state: State, message: string): void {
  toClient(state, errorResponse('null', ErrorCode.invalidRequest, message));
}
