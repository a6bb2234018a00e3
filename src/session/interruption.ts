import { ErrorCode, errorResponse } from '../wire/message.ts';
import { isRepeatable, isSafe, mayBeSentAgain } from './again.ts';
import { answer, fail } from './answers.ts';
import type { Failure } from './failure.ts';
import { ownResult } from './results.ts';
import { hold } from './serving.ts';
import { type ClientRequest, type InFlight, inFlightOf, type Peer, type State } from './state.ts';
import { isAboutTask } from './tasks.ts';

/**
 * A generation will answer nothing any more. What it has in flight waits for another generation if it may be
 * sent again; everything else gets the failure for an answer.
 */
export function interrupt(state: State, peer: Peer, failure: Failure): void {
  const later = state.held;
  state.held = new Set();
  state.heldBytes = 0;
  for (const request of inFlightOf(state, peer)) {
    peer.pending--;
    // A generation that never answered anything was none yet: what does no harm is as good as new.
    if (peer.phase.phase === 'fresh' && isRepeatable(request)) holdAgain(state, request, request.interrupted);
    else if (mayBeSentAgain(state.settings, request)) holdAgain(state, request, failure);
    else giveUp(state, request, failure);
  }
  // What was in flight came before what has been waiting.
  for (const request of later) hold(state, request);
}

function holdAgain(state: State, request: ClientRequest, why: Failure | undefined): void {
  request.peer = undefined;
  request.interrupted = why;
  request.floor = request.progress;
  request.exchanged = false;
  hold(state, request);
}

function giveUp(state: State, request: InFlight, failure: Failure): void {
  const { id, method } = request;
  if (method === 'ping') {
    answer(state, request, ownResult(request, {}));
    return;
  }
  if (isAboutTask(request)) {
    const message = 'the task is lost: the server was restarted';
    answer(state, request, errorResponse(id, ErrorCode.invalidParams, message));
    return;
  }
  fail(state, request, failure, { mayHaveExecuted: true, retryable: isSafe(method) });
}
