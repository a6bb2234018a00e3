import { editAt, splice, withId } from '../wire/edit.ts';
import type { Id } from '../wire/id.ts';
import { Line } from '../wire/line.ts';
import { isObject, type JsonObject, result } from '../wire/message.ts';
import { padCapabilities } from './capabilities.ts';
import { LIST_METHODS } from './catalogue.ts';
import { activate, prepare } from './hand-over.ts';
import { errorText, newQuestion, reject } from './questions.ts';
import { release } from './serving.ts';
import { type Peer, type State, toClient, toServer } from './state.ts';

/** The `initialize` versions, oldest first. Later versions have no handshake. */
const LEGACY_VERSIONS = ['2024-10-07', '2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'];
const NEWEST_LEGACY = '2025-11-25';

/** The client's first message, `initialize`. */
export function receiveInitialize(state: State, id: Id, params: string): void {
  state.conversation = { state: 'greeting', id, params };
  state.emit({ do: 'set-timer', timer: { kind: 'answer' }, ms: state.settings.answerAfter });
  for (const peer of state.peers.values()) greet(state, peer);
  // Only a reload that is known to have failed leaves nothing to wait for.
  if (state.active === undefined && state.source.state === 'broken') answerAlone(state);
}

/** Sends the client's handshake to a generation, asking for the version that the session already has. */
export function greet(state: State, peer: Peer): void {
  const { conversation } = state;
  if (conversation.state === 'silent') return;
  if (peer.phase.phase === 'fresh') peer.phase = { phase: 'greeted' };
  const id = newQuestion(state, peer, { purpose: 'initialize' });
  const asked = Line.of(`{"jsonrpc":"2.0","id":${id},"method":"initialize","params":${conversation.params}}`);
  const version =
    conversation.state === 'open'
      ? editAt(asked, ['params', 'protocolVersion'], JSON.stringify(conversation.protocolVersion))
      : undefined;
  toServer(state, peer, version === undefined ? asked : splice(asked, [version]));
  state.emit({ do: 'greeted', generation: peer.generation });
}

/** A generation answered the handshake. */
export function receiveHandshake(state: State, peer: Peer, line: Line): void {
  const message = line.parse();
  const { conversation } = state;
  const answer = isObject(message) && isObject(message.result) ? message.result : undefined;
  switch (conversation.state) {
    case 'silent':
      return;
    case 'greeting':
      if (message === undefined) reject(state, peer, `it refused the handshake: ${errorText(message)}`);
      else if (answer === undefined) refuseHandshake(state, peer, conversation.id, line);
      else openWith(state, peer, answer, line);
      return;
    case 'open':
      if (answer === undefined) reject(state, peer, `it refused the handshake: ${errorText(message)}`);
      else if (versionOf(answer) !== conversation.protocolVersion) {
        const version = versionOf(answer);
        reject(
          state,
          peer,
          `it speaks protocol version ${version} and this session has ${conversation.protocolVersion}; reconnect the client to use ${version}`,
        );
      } else {
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
  const capabilities = padCapabilities(peer.capabilities);
  const edit = editAt(line, ['result', 'capabilities'], JSON.stringify(capabilities));
  const { id, params } = conversation;
  state.emit({ do: 'remember', handshake: { asked: wantedVersion(params), result: answer } });
  open(state, id, params, versionOf(answer), capabilities);
  toClient(state, withId(line, id, ...(edit === undefined ? [] : [edit])));
  activate(state, peer);
}

/** The server has its reasons, for example that it speaks none of the client's versions: the client decides. */
function refuseHandshake(state: State, peer: Peer, id: Id, line: Line): void {
  state.conversation = { state: 'silent' };
  state.requests.delete(id);
  state.emit({ do: 'clear-timer', timer: { kind: 'answer' } });
  toClient(state, withId(line, id));
  activate(state, peer);
}

/** Answers the handshake ourselves: no generation can, and the client would give up. */
export function answerAlone(state: State): void {
  const { conversation } = state;
  if (conversation.state !== 'greeting') return;
  const { id, params } = conversation;
  const { result: earlier = {}, asked } = state.remembered ?? {};
  const wanted = wantedVersion(params);
  const own = LEGACY_VERSIONS.includes(wanted) ? wanted : NEWEST_LEGACY;
  const protocolVersion = asked === wanted ? versionOf(earlier) : own;
  const capabilities = padCapabilities(isObject(earlier.capabilities) ? earlier.capabilities : {});
  open(state, id, params, protocolVersion, capabilities);
  // What the client knows is what the first generation is compared with: nothing.
  for (const method of LIST_METHODS) state.catalogue.set(method, []);
  const serverInfo = earlier.serverInfo ?? { name: state.settings.name, version: '0.0.0' };
  const told = { ...earlier, protocolVersion, capabilities, serverInfo, instructions: instructions(state) };
  toClient(state, result(id, told));
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

function open(state: State, id: Id, params: string, protocolVersion: string, capabilities: JsonObject): void {
  state.requests.delete(id);
  state.conversation = { state: 'open', params, protocolVersion, capabilities, initialized: false };
  state.emit({ do: 'clear-timer', timer: { kind: 'answer' } });
}
