import { textAt } from '../wire/edit.ts';
import type { Line } from '../wire/line.ts';
import { isObject } from '../wire/message.ts';
import { DISCOVER, discovered } from './discovery.ts';
import { dismissStrangers } from './draining.ts';
import { envelopeOf, isEnveloped } from './envelope.ts';
import { prepare, readLists } from './hand-over.ts';
import { freshPeer } from './peers.ts';
import { ask, errorText, reject } from './questions.ts';
import { type ClientRequest, type InFlight, type Peer, remember, type State } from './state.ts';
import { tellMissed } from './subscriptions.ts';
import { otherVersion, versionsOffered, wordVersions } from './versions.ts';

/**
 * Learns the era from a result. What a server answers to `server/discover` settles nothing, as one that speaks both eras
 * answers that before either.
 */
export function learnEra(state: State, peer: Peer, request: InFlight, line: Line): void {
  if (state.conversation.state !== 'silent' || request.method === DISCOVER) return;
  if (!isModern(line) || !isEnveloped(request.line)) return;
  beginModern(state, peer, request.line);
}

/**
 * We answer this request ourselves, in the modern era, so that the client takes the session for one of it. A server
 * that is not asked anything by the client would never show whether it runs: so we ask.
 */
export function settleAlone(state: State, request: ClientRequest): void {
  const { conversation, active } = state;
  if (conversation.state !== 'silent' || request.method === DISCOVER || !isEnveloped(request.line)) return;
  if (active !== undefined) {
    openModern(state, active, request.line);
    return;
  }
  const peer = freshPeer(state);
  // What it was asked already shows that as well.
  if (peer !== undefined && peer.pending > 0) return;
  enterModern(state, request.line);
}

/** The client and the server speak the modern era with each other, as the answer to this request shows. */
export function beginModern(state: State, peer: Peer, request: Line): void {
  peer.fits = true;
  openModern(state, peer, request);
}

/** The session is one of the modern era, whatever this generation speaks. */
function openModern(state: State, peer: Peer, request: Line): void {
  enterModern(state, request, peer);
  tellMissed(state);
  // What the generation that serves offers is what the next one is compared with.
  ask(state, state.active ?? peer, { purpose: 'discover' }, DISCOVER, {});
}

/**
 * The session has the era and the envelope of this request. A generation that waits for the client is asked, as nobody
 * else would ask it: a generation that was replaced may be the one that shows the era.
 *
 * @param known the generation that shows it
 */
function enterModern(state: State, request: Line, known?: Peer): void {
  state.conversation = { state: 'modern', ...envelopeOf(request) };
  dismissStrangers(state);
  const next = freshPeer(state);
  if (next !== undefined && next !== known && next.pending === 0) greetModern(state, next);
}

/**
 * Asks a candidate whether it can go on with the session. That and the lists which are read next have the client's
 * envelope: a server that speaks both eras holds to that of the first message but for `server/discover`.
 */
export function greetModern(state: State, peer: Peer): void {
  peer.phase = { phase: 'greeted' };
  ask(state, peer, { purpose: 'discover' }, DISCOVER, {});
  state.emit({ do: 'greeted', generation: peer.generation });
}

/** A generation answered `server/discover` to us. */
export function receiveDiscovery(state: State, peer: Peer, line: Line): void {
  if (state.conversation.state !== 'modern') return;
  const { protocolVersion } = state.conversation;
  const result = discovered(line);
  const isCandidate = peer.phase.phase === 'greeted';
  if (result === undefined) {
    if (isCandidate) reject(state, peer, refusal(line.parse(), protocolVersion));
    return;
  }
  peer.capabilities = isObject(result.capabilities) ? result.capabilities : {};
  if (!isCandidate) {
    if (isModern(line)) peer.fits = true;
    remember(state, { discover: result });
    readLists(state, peer);
    return;
  }
  const versions = Array.isArray(result.supportedVersions) ? result.supportedVersions : [];
  if (versions.includes(protocolVersion)) prepare(state, peer);
  else reject(state, peer, otherVersion(wordVersions(versions), protocolVersion));
}

/** Whether a result is of the modern era (2026-07-28, basic). */
function isModern(line: Line): boolean {
  return textAt(line, ['result', 'resultType']) !== undefined;
}

function refusal(message: unknown, session: string): string {
  const spoken = versionsOffered(message);
  return spoken === undefined
    ? `it does not speak protocol version ${session}, which this session has (${errorText(message)})`
    : otherVersion(spoken, session);
}
