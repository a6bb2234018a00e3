import { editAt, splice, withId } from '../wire/edit.ts';
import { Line } from '../wire/line.ts';
import { isObject, type JsonObject, result } from '../wire/message.ts';
import { answer } from './answers.ts';
import { padded } from './capabilities.ts';
import { LIST_METHODS } from './catalogue.ts';
import { DISCOVER, discoveryAlone } from './discovery.ts';
import { dismissStrangers } from './draining.ts';
import { activate, prepare } from './hand-over.ts';
import { freshPeer } from './peers.ts';
import { errorText, newQuestion, reject } from './questions.ts';
import { release, takeBack } from './serving.ts';
import { type ClientRequest, type Peer, remember, type State, toClient, toServer } from './state.ts';
import { otherVersion, versionsOffered } from './versions.ts';

/** The `initialize` versions, oldest first. Later versions have no handshake. */
const LEGACY_VERSIONS = ['2024-10-07', '2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'];
const NEWEST_LEGACY = '2025-11-25';

/** The client's first message, `initialize`. */
export function receiveInitialize(state: State, request: ClientRequest, params: string): void {
  state.conversation = { state: 'greeting', request, params };
  state.emit({ do: 'set-timer', timer: { kind: 'answer' }, ms: state.settings.answerAfter });
  const peer = state.active ?? freshPeer(state);
  if (peer !== undefined) greet(state, peer);
  // Only a reload that is known to have failed leaves nothing to wait for.
  if (state.active === undefined && state.source.state === 'broken') answerAlone(state);
}

/** Sends the client's handshake to a generation, asking for the version that the session already has. */
export function greet(state: State, peer: Peer): void {
  const { conversation } = state;
  if (conversation.state !== 'greeting' && conversation.state !== 'legacy') return;
  if (peer.phase.phase === 'fresh') peer.phase = { phase: 'greeted' };
  const id = newQuestion(state, peer, { purpose: 'initialize' });
  const asked = Line.of(`{"jsonrpc":"2.0","id":${id},"method":"initialize","params":${conversation.params}}`);
  const version =
    conversation.state === 'legacy'
      ? editAt(asked, ['params', 'protocolVersion'], JSON.stringify(conversation.protocolVersion))
      : undefined;
  toServer(state, peer, version === undefined ? asked : splice(asked, [version]));
  state.emit({ do: 'greeted', generation: peer.generation });
}

/** A generation answered the handshake. */
export function receiveHandshake(state: State, peer: Peer, line: Line): void {
  // It was replaced before it could say so.
  if (peer.phase.phase === 'draining') return;
  const message = line.parse();
  const { conversation } = state;
  const answer = isObject(message) && isObject(message.result) ? message.result : undefined;
  switch (conversation.state) {
    case 'silent':
    case 'modern':
      return;
    case 'greeting':
      if (message === undefined) reject(state, peer, `it refused the handshake: ${errorText(message)}`);
      else if (answer === undefined) refuseHandshake(state, peer, conversation.request, line);
      else openWith(state, peer, answer, line);
      return;
    case 'legacy':
      if (answer === undefined) {
        const spoken = versionsOffered(message);
        const why =
          spoken === undefined
            ? `it refused the handshake: ${errorText(message)}`
            : otherVersion(spoken, conversation.protocolVersion);
        reject(state, peer, why);
      } else if (versionOf(answer) !== conversation.protocolVersion)
        reject(state, peer, otherVersion(versionOf(answer), conversation.protocolVersion));
      else {
        peer.capabilities = isObject(answer.capabilities) ? answer.capabilities : {};
        prepare(state, peer);
      }
      return;
  }
}

/** The first generation's answer is the client's, but for the id and the padded capabilities. */
function openWith(state: State, peer: Peer, answer: JsonObject, line: Line): void {
  const { conversation } = state;
  if (conversation.state !== 'greeting') return;
  peer.capabilities = isObject(answer.capabilities) ? answer.capabilities : {};
  const capabilities = padded(state, peer.capabilities);
  const edit = state.settings.transparent
    ? undefined
    : editAt(line, ['result', 'capabilities'], JSON.stringify(capabilities));
  const { request, params } = conversation;
  remember(state, { initialize: { asked: wantedVersion(params), result: answer } });
  open(state, request, params, versionOf(answer), capabilities);
  toClient(state, withId(line, request.id, ...(edit === undefined ? [] : [edit])));
  peer.fits = true;
  activate(state, peer);
}

/** The server has its reasons, for example that it speaks none of the client's versions: the client decides. */
function refuseHandshake(state: State, peer: Peer, request: ClientRequest, line: Line): void {
  state.conversation = { state: 'silent' };
  state.requests.delete(request);
  state.emit({ do: 'clear-timer', timer: { kind: 'answer' } });
  toClient(state, withId(line, request.id));
  activate(state, peer);
}

/** Answers `server/discover` ourselves: no generation does in time, and the client would give up. */
export function discoverAlone(state: State): void {
  if (state.active !== undefined) return;
  for (const request of state.requests.all()) {
    if (request.method !== DISCOVER || !takeBack(state, request)) continue;
    answer(state, request, discoveryAlone(state, request));
  }
}

/** Answers the handshake ourselves: no generation can, and the client would give up. */
export function answerAlone(state: State): void {
  const { conversation } = state;
  if (conversation.state !== 'greeting') return;
  const { request, params } = conversation;
  const { result: earlier = {}, asked } = state.remembered.initialize ?? {};
  const wanted = wantedVersion(params);
  const own = LEGACY_VERSIONS.includes(wanted) ? wanted : NEWEST_LEGACY;
  const protocolVersion = asked === wanted ? versionOf(earlier) : own;
  const capabilities = padded(state, isObject(earlier.capabilities) ? earlier.capabilities : {});
  open(state, request, params, protocolVersion, capabilities);
  // What the client knows is what the first generation is compared with: nothing.
  for (const method of LIST_METHODS) state.catalogue.set(method, []);
  const serverInfo = earlier.serverInfo ?? { name: state.settings.name, version: '0.0.0' };
  const told = { ...earlier, protocolVersion, capabilities, serverInfo, instructions: instructions(state) };
  toClient(state, result(request.id, told));
  dismissStrangers(state);
  release(state);
}

function wantedVersion(params: string): string {
  const wanted = Line.of(params).parse();
  return isObject(wanted) ? versionOf(wanted) : NEWEST_LEGACY;
}

/** The protocol version that is asked for, or answered. */
function versionOf({ protocolVersion }: JsonObject): string {
  return typeof protocolVersion === 'string' ? protocolVersion : '(none)';
}

function instructions(state: State): string {
  const { source } = state;
  if (source.state !== 'broken') {
    return 'This server is under development and was still starting when you connected. Its tools appear as soon as it is ready.';
  }
  const details = source.failure.text === '' ? '' : `\n\n${source.failure.text}`;
  return `This server is under development and does not work at the moment: ${source.failure.summary}. Its tools appear as soon as that is mended.${details}`;
}

function open(
  state: State,
  request: ClientRequest,
  params: string,
  protocolVersion: string,
  capabilities: JsonObject,
): void {
  state.requests.delete(request);
  state.conversation = { state: 'legacy', params, protocolVersion, capabilities, initialized: false };
  state.emit({ do: 'clear-timer', timer: { kind: 'answer' } });
}
