import { editAt, splice, textAt, withId } from '../wire/edit.ts';
import { type Head, readHead } from '../wire/head.ts';
import { type Id, OWN_PREFIX, roundedId, toId } from '../wire/id.ts';
import type { Line } from '../wire/line.ts';
import { ErrorCode, errorResponse, isObject } from '../wire/message.ts';
import { answer } from './answers.ts';
import { membersOf } from './batch.ts';
import { capabilityOf, emptyResult } from './capabilities.ts';
import type { ListMethod } from './catalogue.ts';
import { noteCursor } from './cursors.ts';
import { DISCOVER, passDiscovery } from './discovery.ts';
import { questionMoved } from './draining.ts';
import { isEnveloped } from './envelope.ts';
import { activate, readList, receiveList } from './hand-over.ts';
import { receiveHandshake } from './handshake.ts';
import { beginModern, learnEra, receiveDiscovery } from './modern.ts';
import { showStale } from './old-code.ts';
import { rememberEffect } from './requests.ts';
import { ownResult, withoutCaching } from './results.ts';
import { releaseDeferred, settle } from './serving.ts';
import {
  type ClientRequest,
  type InFlight,
  inFlightOf,
  isInFlight,
  type Peer,
  type State,
  toClient,
  toServer,
} from './state.ts';
import {
  ACKNOWLEDGED,
  belonging,
  forClient,
  mergeKey,
  receiveAcknowledgement,
  receiveEnd,
  receivePartCancelled,
} from './subscriptions.ts';
import { noteTaskResult, noteTaskStatus, TASK_NOTIFICATIONS } from './tasks.ts';

/** Notifications of one kind that follow one another more closely than this are merged into one. */
const MERGE_MS = 50;
/** More open questions to the client than any server has. */
const MOST_QUESTIONS = 10_000;
/** An id with its progress token is not kept for an answer if it has more characters. */
const LONGEST_NAME = 4096;
/** So many messages of a candidate are kept until it takes over. */
const MOST_KEPT = 1000;
/** The reason that SDKs give for a `requestState` whose signature does not hold. */
const REFUSED_STATE = '"invalid_request_state"';
/** And so many bytes of them. */
const MOST_KEPT_BYTES = 16 * 1024 * 1024;

/** One message of a generation, or a batch of them. */
export function receiveFromServer(state: State, peer: Peer, line: Line): void {
  const head = readHead(line);
  if (head.kind !== 'batch') {
    receive(state, peer, head, line);
    return;
  }
  const members = membersOf(line);
  if (members === undefined) state.emit({ do: 'garbage', generation: peer.generation, line });
  else for (const member of members) receive(state, peer, readHead(member), member);
}

function receive(state: State, peer: Peer, head: Head, line: Line): void {
  switch (head.kind) {
    case 'request':
      receiveServerRequest(state, peer, head, line);
      return;
    case 'notification':
      receiveServerNotification(state, peer, head.method, line);
      return;
    case 'response':
      receiveResponse(state, peer, head, line);
      return;
    case 'batch':
    case 'invalid':
      state.emit({ do: 'garbage', generation: peer.generation, line });
      return;
    case 'blank':
      return;
  }
}

/** The answer of a generation, to us or to the client. */
function receiveResponse(
  state: State,
  peer: Peer,
  head: Extract<Head, { kind: 'response' }>,
  line: Line,
): void {
  const question = peer.questions.get(head.id);
  if (question !== undefined) {
    peer.questions.delete(head.id);
    switch (question.purpose) {
      case 'initialize':
        receiveHandshake(state, peer, line);
        return;
      case 'list':
        receiveList(state, peer, question, line);
        return;
      case 'discover':
        receiveDiscovery(state, peer, line);
        return;
      case 'listen':
        receiveEnd(state, peer, question.subscription, line, head.outcome);
        return;
      case 'state':
        return;
    }
  }
  const request = findRequest(state, peer, head.id);
  if (request === undefined) {
    if (!peer.cancelled.delete(head.id)) {
      const message = `generation ${peer.generation} answered the id ${head.id}, which nobody waits for`;
      state.emit({ do: 'warn', about: 'server-id', message });
    }
    return;
  }
  if (peer.phase.phase === 'fresh') activate(state, peer);
  if (head.outcome === 'result') {
    learnEra(state, peer, request, line);
    rememberEffect(state, request);
    noteCursor(state, peer, request, line);
    noteTaskResult(state, peer, request, line);
    answer(state, request, dressResult(state, request, line));
  } else {
    explainRequestState(state, request, line);
    answer(state, request, mendError(state, request, line));
  }
  settle(state, peer);
  if (request.method === 'tools/list' && peer === state.active) releaseDeferred(state);
}

/** A result as the client may have it. */
function dressResult(state: State, request: InFlight, line: Line): Line {
  if (request.method === DISCOVER) return passDiscovery(state, request.peer, line);
  const fresh = withoutCaching(state, request.method, line);
  return request.stale === undefined ? fresh : showStale(state, request, request.stale, fresh);
}

/** A request of a generation: the client answers it under an id that no other generation uses. */
function receiveServerRequest(
  state: State,
  peer: Peer,
  head: Extract<Head, { kind: 'request' }>,
  line: Line,
): void {
  const token = textAt(line, ['params', '_meta', 'progressToken']);
  const isKept = String(head.id).length + (token?.length ?? 0) <= LONGEST_NAME;
  if (state.asked.size >= MOST_QUESTIONS || !isKept) {
    const message = isKept
      ? 'the client has not answered thousands of earlier requests'
      : 'the id or the progress token is too long';
    toServer(state, peer, errorResponse(head.id, ErrorCode.internal, `mcp-dev: ${message}`));
    state.emit({ do: 'warn', about: 'server-questions', message });
    return;
  }
  if (state.conversation.state === 'modern') {
    const message = `generation ${peer.generation} asks the client for ${head.method}, which no server does in protocol version ${state.conversation.protocolVersion}`;
    state.emit({ do: 'warn', about: 'server-requests', message });
    return;
  }
  const id = JSON.stringify(`${OWN_PREFIX}s:${peer.generation}:${++state.lastId}`);
  if (head.method !== 'ping') {
    for (const request of state.requests.values()) if (request.peer === peer) request.exchanged = true;
  }
  const asked = { peer, method: head.method, id: head.id, token };
  state.asked.set(id, asked);
  questionMoved(state, asked);
  const edit = token === undefined ? undefined : editAt(line, ['params', '_meta', 'progressToken'], id);
  toClient(state, withId(line, id, ...(edit === undefined ? [] : [edit])));
}

/** A notification of a generation. */
function receiveServerNotification(state: State, peer: Peer, method: string, line: Line): void {
  switch (method) {
    case 'notifications/cancelled':
      passCancellation(state, peer, line);
      return;
    case 'notifications/progress':
      passProgress(state, peer, line);
      return;
    case 'notifications/tools/list_changed':
      passListChanged(state, peer, method, ['tools/list'], line);
      return;
    case 'notifications/prompts/list_changed':
      passListChanged(state, peer, method, ['prompts/list'], line);
      return;
    case 'notifications/resources/list_changed':
      passListChanged(state, peer, method, ['resources/list', 'resources/templates/list'], line);
      return;
    case 'notifications/resources/updated':
      // What is read from now on comes from the active generation, and only it knows what changed there.
      if (peer.phase.phase === 'active') passTagged(state, peer, line);
      return;
    case 'notifications/message':
      state.emit({ do: 'logged', generation: peer.generation, line });
      passTagged(state, peer, line);
      return;
    case ACKNOWLEDGED:
      passAcknowledgement(state, peer, line);
      return;
    default: {
      if (TASK_NOTIFICATIONS.has(method)) noteTaskStatus(state, peer, line);
      passTagged(state, peer, line);
    }
  }
}

/** A notification, as the client knows the subscription that it belongs to, if it belongs to one. */
function passTagged(state: State, peer: Peer, line: Line): void {
  const belongs = belonging(state, peer, line);
  if (belongs.to === 'over') return;
  const known = belongs.to === 'open' ? forClient(belongs.subscription, line) : line;
  if (peer.phase.phase === 'greeted' || peer.phase.phase === 'preparing') keepForLater(state, peer, known);
  else toClient(state, known);
}

/** A subscription is open: that also tells the era. */
function passAcknowledgement(state: State, peer: Peer, line: Line): void {
  const belongs = belonging(state, peer, line);
  if (belongs.to !== 'open') return;
  const { subscription } = belongs;
  if (state.conversation.state === 'silent') beginModern(state, peer, subscription.line);
  receiveAcknowledgement(state, subscription, line);
  if (peer.phase.phase === 'fresh') activate(state, peer);
}

/** More of a merged kind came while one had just been passed on. */
export function endMerge(state: State, key: string): void {
  const more = state.merging.get(key);
  state.merging.delete(key);
  if (more !== undefined) passOn(state, key, more);
}

function passListChanged(
  state: State,
  peer: Peer,
  method: string,
  lists: readonly ListMethod[],
  line: Line,
): void {
  switch (peer.phase.phase) {
    case 'draining':
      return;
    case 'greeted':
    case 'preparing':
      // The client hears of it at the hand-over; what we read may be older than this.
      for (const list of lists) peer.outdated.add(list);
      return;
    case 'fresh':
    case 'active':
      for (const list of lists) if (peer.catalogue.has(list)) peer.outdated.add(list);
      passInSubscription(state, peer, method, line);
      return;
  }
}

/** A generation says it to each subscription, and the client hears it from each. */
function passInSubscription(state: State, peer: Peer, method: string, line: Line): void {
  const belongs = belonging(state, peer, line);
  switch (belongs.to) {
    case 'none':
      passOn(state, method, line);
      return;
    case 'open':
      passOn(state, mergeKey(method, belongs.subscription), forClient(belongs.subscription, line));
      return;
    case 'over':
      return;
  }
}

function passOn(state: State, key: string, line: Line): void {
  if (state.merging.has(key)) {
    state.merging.set(key, line);
    return;
  }
  state.merging.set(key, undefined);
  state.emit({ do: 'set-timer', timer: { kind: 'merge', key }, ms: MERGE_MS });
  toClient(state, line);
  const { active } = state;
  if (active === undefined) return;
  for (const list of active.outdated) readList(state, active, list);
  active.outdated.clear();
}

function passCancellation(state: State, peer: Peer, line: Line): void {
  const raw = textAt(line, ['params', 'requestId']);
  const original = raw === undefined ? undefined : toId(raw);
  if (original === undefined || receivePartCancelled(state, peer, original)) return;
  for (const [id, asked] of state.asked) {
    if (asked.peer !== peer || asked.id !== original) continue;
    state.asked.delete(id);
    questionMoved(state, asked);
    const edit = editAt(line, ['params', 'requestId'], String(id));
    if (edit !== undefined) toClient(state, splice(line, [edit]));
  }
}

/**
 * Progress counts only while its request waits for an answer, and from the generation that has it. It must
 * increase (basic, utilities, progress), also when another generation has begun anew.
 */
function passProgress(state: State, peer: Peer, line: Line): void {
  const token = textAt(line, ['params', 'progressToken']);
  if (token === undefined) return;
  const request = requestWithToken(state, peer, token);
  if (request === undefined) return;
  const progress = Number(textAt(line, ['params', 'progress']));
  if (request.interrupted !== undefined && progress <= request.progress) return;
  if (progress > request.progress) request.progress = progress;
  toClient(state, line);
}

/** Speaks for a candidate after the hand-over. One that says too much before it is not kept in full. */
function keepForLater(state: State, peer: Peer, line: Line): void {
  const kept = peer.backlog.reduce((bytes, { length }) => bytes + length, line.length);
  if (peer.backlog.length < MOST_KEPT && kept <= MOST_KEPT_BYTES) {
    peer.backlog.push(line);
    return;
  }
  const message = `generation ${peer.generation} says more before it is ready than can be kept`;
  state.emit({ do: 'warn', about: 'server-backlog', message });
}

function requestWithToken(state: State, peer: Peer, token: string): ClientRequest | undefined {
  for (const request of state.requests.values()) {
    if (request.peer === peer && tokenOf(request) === token) return request;
  }
  return undefined;
}

function tokenOf(request: ClientRequest): string | null {
  if (request.token === undefined) {
    request.token = textAt(request.line, ['params', '_meta', 'progressToken']) ?? null;
  }
  return request.token;
}

function findRequest(state: State, peer: Peer, id: Id): InFlight | undefined {
  const exact = state.requests.get(id);
  if (exact !== undefined) return isInFlight(exact, peer) ? exact : undefined;
  if (Number.isSafeInteger(Number(id))) return undefined;
  // A server whose numbers are doubles gives back a rounded id.
  return inFlightOf(state, peer).find((request) => roundedId(request.id) === roundedId(id));
}

/**
 * A server without a capability that the client was promised says so with an error that a client does not
 * expect. It gets what a server with nothing to offer would say.
 */
function mendError(state: State, request: InFlight, line: Line): Line {
  const capability = capabilityOf(request.method);
  const isPadded = capability !== undefined && !(capability in request.peer.capabilities);
  if (!isPadded || state.settings.transparent) return line;
  const message = line.parse();
  const error = isObject(message) && isObject(message.error) ? message.error : {};
  if (error.code !== ErrorCode.methodNotFound) return line;
  const empty = emptyResult(request.method);
  if (empty !== undefined) return ownResult(request, empty);
  switch (request.method) {
    case 'prompts/get':
      return errorResponse(request.id, ErrorCode.invalidParams, 'the server has no prompts');
    case 'resources/read':
      return errorResponse(request.id, notFoundCode(request), 'the server has no resources');
    default:
      return line;
  }
}

function notFoundCode(request: ClientRequest): number {
  return isEnveloped(request.line) ? ErrorCode.invalidParams : ErrorCode.resourceNotFound;
}

/**
 * A server that signs what it hands out with a key of its process refuses it after a swap. Nobody but the author can
 * mend that, and the error itself does not say how.
 */
function explainRequestState(state: State, { peer, line: request }: InFlight, line: Line): void {
  if (peer.generation === state.first || textAt(line, ['error', 'data', 'reason']) !== REFUSED_STATE) return;
  if (textAt(request, ['params', 'requestState']) === undefined) return;
  const message = `generation ${peer.generation} refuses a requestState, probably minted by the previous build: use a stable key, such as the one in MCP_DEV_SECRET`;
  state.emit({ do: 'warn', about: 'request-state', message });
}
