import { editAt, splice, textAt, withId } from '../wire/edit.ts';
import { type Head, readHead } from '../wire/head.ts';
import { OWN_PREFIX, toId } from '../wire/id.ts';
import type { Line } from '../wire/line.ts';
import { takeOwnCall } from './agent-calls.ts';
import { leaveUnanswered, refuseInvalid } from './answers.ts';
import { BATCH_VERSION, Batch, membersOf } from './batch.ts';
import { DISCOVER } from './discovery.ts';
import { questionMoved } from './draining.ts';
import { readLists } from './hand-over.ts';
import { receiveInitialize } from './handshake.ts';
import { keepLean } from './keeping.ts';
import { freshPeer } from './peers.ts';
import { newRequest } from './requests.ts';
import { dispatch, takeBack } from './serving.ts';
import { type Peer, type State, toServer } from './state.ts';
import { cancelSubscription } from './subscriptions.ts';

/** One message of the client, or a batch of them. */
export function receiveFromClient(state: State, line: Line): void {
  const head = readHead(line);
  if (head.kind === 'batch') receiveBatch(state, line);
  else receive(state, head, line, undefined);
}

function receive(state: State, head: Head, line: Line, batch: Batch | undefined): void {
  switch (head.kind) {
    case 'request':
      receiveRequest(state, head, line, batch);
      return;
    case 'notification':
      receiveNotification(state, head.method, line);
      return;
    case 'response':
      receiveAnswer(state, head, line);
      return;
    case 'batch':
    case 'invalid':
      refuseInvalid(state, 'this is no JSON-RPC 2.0 message');
      return;
    case 'blank':
      return;
  }
}

/** Several messages in one line: only one version of the protocol has that. */
function receiveBatch(state: State, line: Line): void {
  const { conversation } = state;
  const allowed = conversation.state === 'legacy' && conversation.protocolVersion === BATCH_VERSION;
  const members = allowed ? membersOf(line) : undefined;
  if (members === undefined || members.length === 0) {
    refuseInvalid(state, `a batch of messages is only known to protocol version ${BATCH_VERSION}`);
    return;
  }
  const batch = new Batch();
  const heads = members.map(readHead);
  // All of them are counted before the first one can be answered.
  for (const head of heads) if (head.kind === 'request') batch.expect();
  for (const [index, head] of heads.entries()) receive(state, head, members[index] as Line, batch);
}

function receiveRequest(
  state: State,
  head: Extract<Head, { kind: 'request' }>,
  line: Line,
  batch: Batch | undefined,
): void {
  const { id, method } = head;
  if (state.requests.get(id) !== undefined || (state.subscriptions.size > 0 && state.subscriptions.has(id))) {
    // Whatever we answered would be taken for the answer of the first request.
    const message = `the client used the id ${id} again before it was answered`;
    state.emit({ do: 'warn', about: 'client-id', message });
    batch?.cancel();
    return;
  }
  const request = newRequest({ id, method, line, batch });
  if (method === DISCOVER) startDiscoveryClock(state);
  else state.inUse = true;
  state.requests.add(request);
  if (method === 'initialize' && state.conversation.state === 'silent') {
    receiveInitialize(state, request, textAt(line, ['params']) ?? '{}');
    return;
  }
  if (!takeOwnCall(state, request)) dispatch(state, request);
  keepLean(state, request);
}

/** The first of several that wait has waited longest; a request that is sent again does not wait anew. */
function startDiscoveryClock(state: State): void {
  for (const { method } of state.requests.all()) if (method === DISCOVER) return;
  state.emit({ do: 'set-timer', timer: { kind: 'discover' }, ms: state.settings.answerAfter });
}

/** A notification of the client. It is never held: by the time it could be sent it would mean nothing. */
function receiveNotification(state: State, method: string, line: Line): void {
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
function receiveAnswer(state: State, head: Extract<Head, { kind: 'response' }>, line: Line): void {
  const asked = state.asked.get(head.id);
  if (asked === undefined) return;
  state.asked.delete(head.id);
  questionMoved(state, asked);
  toServer(state, asked.peer, withId(line, asked.id));
}

function receiveInitialized(state: State, line: Line): void {
  const { conversation } = state;
  // It is said once; a server need not bear to hear it again.
  if (conversation.state === 'legacy' && conversation.initialized) return;
  if (conversation.state === 'legacy') state.conversation = { ...conversation, initialized: true };
  const { active } = state;
  for (const peer of state.peers.values()) {
    // What is kept in reserve is not told anything more when it has to serve again.
    if (peer.fits && (peer === active || isInReserve(peer))) toServer(state, peer, line);
  }
  if (active?.fits !== true) return;
  // What the first generation offers is what the next one is compared with.
  if (active.catalogue.size === 0) readLists(state, active);
}

function cancel(state: State, line: Line): void {
  const raw = textAt(line, ['params', 'requestId']);
  const id = raw === undefined ? undefined : toId(raw);
  if (id === undefined) return;
  if (cancelSubscription(state, id, line)) return;
  const request = state.requests.get(id);
  if (request === undefined) return;
  const { peer } = request;
  // As long as nobody has heard of it, nobody has to hear that it is not wanted any more.
  if (peer !== undefined) toServer(state, peer, line);
  if (takeBack(state, request)) leaveUnanswered(state, request);
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

function isInReserve({ phase }: Peer): boolean {
  return phase.phase === 'draining' && phase.kept;
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
