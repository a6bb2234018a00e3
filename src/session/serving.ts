import { ErrorCode, errorResponse, isObject, result } from '../wire/message.ts';
import { emptyResult } from './capabilities.ts';
import { type Failure, failedResponse } from './failure.ts';
import { type ClientRequest, type InFlight, type Peer, type State, toClient, toServer } from './state.ts';

/** Requests that change nothing and are asked again without harm. */
const SAFE = new Set([
  'ping',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'prompts/get',
  'completion/complete',
  'logging/setLevel',
]);

/** Sends a request where it belongs now: to a generation, into the queue, or back with an answer of ours. */
export function dispatch(state: State, request: ClientRequest): void {
  const { conversation, source, active } = state;
  if (request.method === 'ping') {
    if (active === undefined) toClient(state, result(request.id, {}));
    else forward(state, active, request);
    return;
  }
  switch (conversation.state) {
    case 'silent': {
      // Without a handshake nothing can be prepared: whatever runs gets the request as it is.
      const peer = active ?? freshPeer(state);
      if (peer !== undefined) {
        forward(state, peer, request);
        return;
      }
      break;
    }
    case 'greeting':
      state.held.push(request);
      return;
    case 'open':
      break;
  }
  switch (source.state) {
    case 'awaited':
      state.held.push(request);
      return;
    case 'served':
      // Without an active generation the next event says how it goes on.
      if (active === undefined) state.held.push(request);
      else forward(state, active, request);
      return;
    case 'late':
      if (active === undefined) refuse(state, request, holdTimeout(state));
      else forward(state, active, request);
      return;
    case 'broken':
      if (active === undefined) answerDown(state, request, source.failure);
      else forward(state, active, request);
      return;
  }
}

/** Dispatches everything that is held, in the order it came. What has to wait on is queued again. */
export function release(state: State): void {
  const held = state.held;
  state.held = [];
  for (const request of held) dispatch(state, request);
}

/** Dispatches the calls that waited for the client to read the list again. */
export function releaseDeferred(state: State): void {
  const deferred = state.deferred;
  if (deferred.length === 0) return;
  state.deferred = [];
  state.actions.push({ do: 'clear-timer', timer: { kind: 'schema' } });
  for (const request of deferred) dispatch(state, request);
}

export function forward(state: State, peer: Peer, request: ClientRequest): void {
  const { id, method, line } = request;
  state.inFlight.set(id, { id, method, line, peer, token: undefined });
  peer.pending++;
  toServer(state, peer, line);
}

/** Takes a request off the list of those that have no answer yet. */
export function settle(state: State, request: InFlight): void {
  state.inFlight.delete(request.id);
  request.peer.pending--;
  finishDraining(state, request.peer);
}

/** A draining generation that has nothing left to do can be stopped. */
export function finishDraining(state: State, peer: Peer): void {
  if (peer.phase.phase !== 'draining' || peer.pending > 0) return;
  state.actions.push({ do: 'clear-timer', timer: { kind: 'drain', generation: peer.generation } });
  state.actions.push({ do: 'drained', generation: peer.generation });
}

/** Answers everything that a generation has in flight with a failure. */
export function failInFlight(state: State, peer: Peer, failure: Failure): void {
  for (const request of [...state.inFlight.values()]) {
    if (request.peer !== peer) continue;
    state.inFlight.delete(request.id);
    peer.pending--;
    const fate = { mayHaveExecuted: true, retryable: SAFE.has(request.method) };
    toClient(state, failedResponse(request.id, request.method, failure, fate));
  }
}

/** Queues again what a generation had in flight that never answered anything. */
export function requeue(state: State, peer: Peer): void {
  const lost = [...state.inFlight.values()].filter((request) => request.peer === peer);
  for (const request of lost) state.inFlight.delete(request.id);
  state.held = [...lost, ...state.held];
}

/** Answers a request that reached no generation. */
function refuse(state: State, request: ClientRequest, failure: Failure): void {
  const fate = { mayHaveExecuted: false, retryable: true };
  toClient(state, failedResponse(request.id, request.method, failure, fate));
}

/**
 * Answers a request while the server is down for certain. Lists are empty instead of failing: a client that
 * gets an error for its first list gives up on the server, and would not read it again once it is healed.
 */
function answerDown(state: State, request: ClientRequest, failure: Failure): void {
  const empty = emptyResult(request.method);
  if (empty === undefined || request.method === 'completion/complete') {
    refuse(state, request, failure);
    return;
  }
  if (request.method === 'logging/setLevel') rememberLevel(state, request);
  toClient(state, result(request.id, empty));
}

/** Keeps the log level that the client asked for, to be applied to later generations. */
export function rememberLevel(state: State, request: ClientRequest): void {
  const level = paramsOf(request).level;
  if (typeof level === 'string') state.level = level;
}

/** Notes what a successful request did to the state of the session. */
export function rememberEffect(state: State, request: ClientRequest): void {
  switch (request.method) {
    case 'logging/setLevel':
      rememberLevel(state, request);
      return;
    case 'resources/subscribe': {
      const uri = paramsOf(request).uri;
      if (typeof uri === 'string') state.subscriptions.add(uri);
      return;
    }
    case 'resources/unsubscribe': {
      const uri = paramsOf(request).uri;
      if (typeof uri === 'string') state.subscriptions.delete(uri);
      return;
    }
  }
}

/** What a call asks for: the tool's name, or `undefined` for anything but a call. */
export function calledTool(request: ClientRequest): string | undefined {
  if (request.method !== 'tools/call') return undefined;
  const name = paramsOf(request).name;
  return typeof name === 'string' ? name : undefined;
}

/** The id of a request is taken while one with the same id waits for its answer. */
export function isTaken(state: State, id: string): boolean {
  const same = (request: ClientRequest): boolean => request.id === id;
  return state.inFlight.has(id) || state.held.some(same) || state.deferred.some(same);
}

/** Refuses a message that is none that the protocol knows (JSON-RPC 2.0, section 5.1). */
export function refuseInvalid(state: State, message: string): void {
  toClient(state, errorResponse('null', ErrorCode.invalidRequest, message));
}

export function freshPeer(state: State): Peer | undefined {
  for (const peer of state.peers.values()) if (peer.phase.phase === 'fresh') return peer;
  return undefined;
}

function holdTimeout(state: State): Failure {
  return {
    reason: 'hold_timeout',
    summary: `the server was not ready within ${state.settings.hold} ms of the change`,
    text: '',
    generation: undefined,
  };
}

function paramsOf(request: ClientRequest): { [key: string]: unknown } {
  // Where this is no JSON the server is the one to complain.
  const message = request.line.parse();
  return isObject(message) && isObject(message.params) ? message.params : {};
}
