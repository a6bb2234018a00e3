import { editAt, textAt, withId } from '../wire/edit.ts';
import { type Head, readHead } from '../wire/head.ts';
import { type Id, OWN_PREFIX, roundedId } from '../wire/id.ts';
import type { Line } from '../wire/line.ts';
import { ErrorCode, errorResponse, isObject } from '../wire/message.ts';
import { answer } from './answers.ts';
import { membersOf } from './batch.ts';
import { capabilityOf, emptyResult } from './capabilities.ts';
import { noteCursor } from './cursors.ts';
import { DISCOVER, passDiscovery } from './discovery.ts';
import { questionMoved } from './draining.ts';
import { isEnveloped } from './envelope.ts';
import { activate, receiveList } from './hand-over.ts';
import { receiveHandshake } from './handshake.ts';
import { learnEra, receiveDiscovery } from './modern.ts';
import { showStale } from './old-code.ts';
import { rememberEffect } from './requests.ts';
import { ownResult, withoutCaching } from './results.ts';
import { receiveServerNotification } from './server-notifications.ts';
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
import { receiveEnd } from './subscriptions.ts';
import { noteTaskResult } from './tasks.ts';

/** More open questions to the client than any server has. */
const MOST_QUESTIONS = 10_000;
/** An id with its progress token is not kept for an answer if it has more characters. */
const LONGEST_NAME = 4096;
/** The reason that SDKs give for a `requestState` whose signature does not hold. */
const REFUSED_STATE = '"invalid_request_state"';

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
  // An id of ours is text, and nearly every other a number.
  const question = typeof head.id === 'number' ? undefined : peer.questions.get(head.id);
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
    for (const request of state.requests.all()) if (request.peer === peer) request.exchanged = true;
  }
  const asked = { peer, method: head.method, id: head.id, token };
  state.asked.set(id, asked);
  questionMoved(state, asked);
  const edit = token === undefined ? undefined : editAt(line, ['params', '_meta', 'progressToken'], id);
  toClient(state, withId(line, id, ...(edit === undefined ? [] : [edit])));
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
