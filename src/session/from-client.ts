import { editAt, splice, textAt, withId } from '../wire/edit.ts';
import type { Head } from '../wire/head.ts';
import { idText, OWN_PREFIX } from '../wire/id.ts';
import type { Line } from '../wire/line.ts';
import { questionMoved } from './draining.ts';
import { readLists } from './hand-over.ts';
import { receiveInitialize } from './handshake.ts';
import { dispatch, freshPeer, isTaken, refuseInvalid, settle } from './serving.ts';
import { type ClientRequest, type Peer, type State, toServer } from './state.ts';

/** A request of the client. */
export function receiveRequest(state: State, head: Extract<Head, { kind: 'request' }>, line: Line): void {
  const { id, method } = head;
  if (isTaken(state, id)) {
    // Whatever we answered would be taken for the answer of the first request.
    state.actions.push({ do: 'warn', message: `the client used the id ${id} again before it was answered` });
    return;
  }
  if (method === 'initialize' && state.conversation.state === 'silent') {
    receiveInitialize(state, id, textAt(line, ['params']) ?? '{}');
    return;
  }
  dispatch(state, { id, method, line });
}

/** A notification of the client. It is never held: by the time it could be sent it would mean nothing. */
export function receiveNotification(state: State, method: string, line: Line): void {
  switch (method) {
    case 'notifications/initialized':
      receiveInitialized(state, line);
      return;
    case 'notifications/cancelled':
      cancel(state, line);
      return;
    case 'notifications/progress':
      passProgress(state, line);
      return;
    case 'notifications/roots/list_changed':
      for (const peer of state.peers.values()) if (isConversing(peer)) toServer(state, peer, line);
      return;
    default: {
      const peer = state.active ?? (state.conversation.state === 'silent' ? freshPeer(state) : undefined);
      if (peer !== undefined) toServer(state, peer, line);
    }
  }
}

/** The client's answer to a request of a generation; dropped when that one is gone. */
export function receiveAnswer(state: State, head: Extract<Head, { kind: 'response' }>, line: Line): void {
  const asked = state.asked.get(head.id);
  if (asked === undefined) return;
  state.asked.delete(head.id);
  questionMoved(state, asked);
  toServer(state, asked.peer, withId(line, asked.id));
}

export function receiveInvalid(state: State): void {
  refuseInvalid(state, 'mcp-dev: this line is no JSON-RPC 2.0 message');
}

export function receiveBatch(state: State): void {
  refuseInvalid(state, 'mcp-dev: JSON-RPC batches are not supported');
}

function receiveInitialized(state: State, line: Line): void {
  if (state.conversation.state === 'open') state.conversation = { ...state.conversation, initialized: true };
  const { active } = state;
  if (active === undefined) return;
  toServer(state, active, line);
  // What the first generation offers is what the next one is compared with.
  if (active.catalogue.size === 0) readLists(state, active);
}

function cancel(state: State, line: Line): void {
  const raw = textAt(line, ['params', 'requestId']);
  const id = raw === undefined ? undefined : idText(raw);
  if (id === undefined) return;
  const other = (request: ClientRequest): boolean => request.id !== id;
  state.held = state.held.filter(other);
  state.deferred = state.deferred.filter(other);
  const request = state.inFlight.get(id);
  if (request === undefined) return;
  toServer(state, request.peer, line);
  request.peer.cancelled.add(id);
  settle(state, request);
}

function passProgress(state: State, line: Line): void {
  const token = textAt(line, ['params', 'progressToken']);
  if (token === undefined) return;
  const asked = state.asked.get(token);
  if (asked?.token !== undefined) {
    const edit = editAt(line, ['params', 'progressToken'], asked.token);
    if (edit !== undefined) toServer(state, asked.peer, splice(line, [edit]));
    return;
  }
  if (!token.startsWith(`"${OWN_PREFIX}`) && state.active !== undefined) toServer(state, state.active, line);
}

/** It has been told that the client is ready, so it may hear from it. */
function isConversing(peer: Peer): boolean {
  switch (peer.phase.phase) {
    case 'fresh':
    case 'greeted':
      return false;
    case 'preparing':
    case 'active':
    case 'draining':
      return true;
  }
}
