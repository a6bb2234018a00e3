import { isHarmlessCall } from './again.ts';
import { refuseUnknownTool } from './agent-calls.ts';
import { answer, answerDown, refuse } from './answers.ts';
import { refuseForeignCursor } from './cursors.ts';
import type { Failure } from './failure.ts';
import { expectLateAnswer, finishDraining, freshPeer } from './peers.ts';
import { ownResult } from './results.ts';
import { type ClientRequest, type Peer, type State, toServer } from './state.ts';
import { openSubscription } from './subscriptions.ts';
import { taskOwner } from './tasks.ts';

/** Sends a request where it belongs now: to a generation, into the queue, or back with an answer of ours. */
export function dispatch(state: State, request: ClientRequest): void {
  const { conversation, source, active } = state;
  if (request.method === 'ping') {
    if (active === undefined) answer(state, request, ownResult(request, {}));
    else forward(state, active, request);
    return;
  }
  if (openSubscription(state, request)) return;
  const owner = taskOwner(state, request);
  if (owner !== undefined) {
    forward(state, owner, request);
    return;
  }
  if (conversation.state === 'greeting') {
    hold(state, request);
    return;
  }
  const peer = whoServes(state);
  if (conversation.state === 'silent' && peer?.newest === true) {
    forward(state, peer, request);
    return;
  }
  switch (source.state) {
    case 'awaited':
      hold(state, request);
      return;
    case 'served':
      // Without a generation the next event says how it goes on.
      if (peer === undefined) hold(state, request);
      else forward(state, peer, request);
      return;
    case 'late':
      if (peer === undefined) refuse(state, request, holdTimeout(state));
      else forwardToOldCode(state, peer, request, holdTimeout(state));
      return;
    case 'broken':
      if (peer === undefined) answerDown(state, request, source.failure);
      else forwardToOldCode(state, peer, request, source.failure);
      return;
  }
}

/** The generation that requests are given to, if there is one. */
function whoServes(state: State): Peer | undefined {
  const { conversation, active } = state;
  // It may have begun to serve before the handshake came, and has not answered that yet.
  if (conversation.state === 'legacy' && active?.fits === false) return undefined;
  // Without a handshake nothing can be prepared: whatever runs gets the request as it is.
  return active ?? (conversation.state === 'silent' ? freshPeer(state) : undefined);
}

/** Queues a request until something changes. */
export function hold(state: State, request: ClientRequest): void {
  state.held.add(request);
  state.heldBytes += request.line.length;
}

/** Takes a request that waits out of wherever it waits. False: it does not. */
export function dequeue(state: State, request: ClientRequest): boolean {
  if (state.held.delete(request)) {
    state.heldBytes -= request.line.length;
    return true;
  }
  for (const [key, executing] of state.executing) {
    if (executing === request) return state.executing.delete(key);
  }
  return state.deferred.delete(request);
}

/** Takes a request from whoever has it, since no answer of theirs is wanted. False: nobody has it. */
export function takeBack(state: State, request: ClientRequest): boolean {
  const { peer, id } = request;
  if (peer === undefined) return dequeue(state, request);
  expectLateAnswer(peer, id);
  settle(state, peer);
  return true;
}

/** Dispatches everything that is held, in the order it came. What has to wait on is queued again. */
export function release(state: State): void {
  if (state.held.size === 0) return;
  const held = state.held;
  state.held = new Set();
  state.heldBytes = 0;
  for (const request of held) dispatch(state, request);
}

/** Dispatches the calls that waited for the client to read the list again. */
export function releaseDeferred(state: State): void {
  const deferred = state.deferred;
  if (deferred.size === 0) return;
  state.deferred = new Set();
  state.emit({ do: 'clear-timer', timer: { kind: 'schema' } });
  for (const request of deferred) dispatch(state, request);
}

function forwardToOldCode(state: State, peer: Peer, request: ClientRequest, why: Failure): void {
  if (state.settings.stale === 'error' && request.method === 'tools/call') refuse(state, request, why);
  else forward(state, peer, request, why);
}

/** Gives a request to a generation; `stale` says why the code of that one is old. */
function forward(state: State, peer: Peer, request: ClientRequest, stale?: Failure): void {
  const { interrupted, method } = request;
  // It was harmless to the generation that had it first, and has to be so to this one.
  if (
    interrupted !== undefined &&
    method === 'tools/call' &&
    !isHarmlessCall(state.settings, peer, request)
  ) {
    refuse(state, request, interrupted);
    return;
  }
  const refusal = refuseForeignCursor(state, peer, request) ?? refuseUnknownTool(peer, request, stale);
  if (refusal !== undefined) {
    answer(state, request, refusal);
    return;
  }
  request.peer = peer;
  request.stale = stale;
  peer.pending++;
  toServer(state, peer, request.line);
}

/** A generation has one request less to answer, now that it was answered or given up. */
export function settle(state: State, peer: Peer): void {
  peer.pending--;
  finishDraining(state, peer);
}

/** What is to be said of requests that waited as long as they may. */
export function holdTimeout(state: State): Failure {
  return {
    reason: 'hold_timeout',
    summary: `the server was not ready within ${state.settings.hold} ms of the change`,
    text: '',
    generation: undefined,
  };
}
