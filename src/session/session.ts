import { readHead } from '../wire/head.ts';
import type { Line } from '../wire/line.ts';
import { drain, endDrain, withdraw } from './draining.ts';
import type { SessionAction, SessionEvent, Timer } from './events.ts';
import {
  receiveAnswer,
  receiveBatch,
  receiveInvalid,
  receiveNotification,
  receiveRequest,
} from './from-client.ts';
import { endMerge, receiveResponse, receiveServerNotification, receiveServerRequest } from './from-server.ts';
import { losePatience } from './hand-over.ts';
import { answerAlone, greet } from './handshake.ts';
import { failInFlight, release, releaseDeferred, requeue } from './serving.ts';
import { initialState, type Peer, type SessionSettings, type State } from './state.ts';

/**
 * The conversation between one client and the generations of one server, without processes, pipes or a
 * clock: events go in, actions come out. It keeps these promises:
 *
 * - each request of the client gets one answer, from the generation that got it or from us;
 * - no request goes to a generation while a change is seen and not served, as long as holding is allowed;
 * - nothing of a new generation reaches the client before the client was told about it.
 */
export class Session {
  readonly #state: State;

  constructor(settings: SessionSettings) {
    this.#state = initialState(settings);
  }

  /** Takes one event and returns what is to be done about it, in order. */
  handle(event: SessionEvent): readonly SessionAction[] {
    const state = this.#state;
    state.actions = [];
    apply(state, event);
    return state.actions;
  }

  /** How many requests of the client have no answer yet. */
  get unanswered(): number {
    const { conversation, held, deferred, inFlight } = this.#state;
    const greeting = conversation.state === 'greeting' ? 1 : 0;
    return greeting + held.length + deferred.length + inFlight.size;
  }
}

function apply(state: State, event: SessionEvent): void {
  switch (event.type) {
    case 'client':
      fromClient(state, event.line);
      return;
    case 'server': {
      const peer = state.peers.get(event.generation);
      if (peer !== undefined) fromServer(state, peer, event.line);
      return;
    }
    case 'started':
      started(state, event.generation, event.newest);
      return;
    case 'gone':
      gone(state, event);
      return;
    case 'awaited':
      awaited(state);
      return;
    case 'settled':
      state.source = { state: 'served' };
      state.actions.push({ do: 'clear-timer', timer: { kind: 'hold' } });
      release(state);
      return;
    case 'broken':
      state.source = { state: 'broken', failure: event.failure };
      state.actions.push({ do: 'clear-timer', timer: { kind: 'hold' } });
      if (state.active === undefined) answerAlone(state);
      release(state);
      return;
    case 'retire': {
      const peer = state.peers.get(event.generation);
      if (peer !== undefined) drain(state, peer);
      return;
    }
    case 'timer':
      expire(state, event.timer);
      return;
  }
}

function fromClient(state: State, line: Line): void {
  const head = readHead(line);
  switch (head.kind) {
    case 'request':
      receiveRequest(state, head, line);
      return;
    case 'notification':
      receiveNotification(state, head.method, line);
      return;
    case 'response':
      receiveAnswer(state, head, line);
      return;
    case 'batch':
      receiveBatch(state);
      return;
    case 'invalid':
      receiveInvalid(state);
      return;
    case 'blank':
      return;
  }
}

function fromServer(state: State, peer: Peer, line: Line): void {
  const head = readHead(line);
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
      state.actions.push({ do: 'garbage', generation: peer.generation, line });
      return;
    case 'blank':
      return;
  }
}

function started(state: State, generation: number, newest: boolean): void {
  const peer: Peer = {
    generation,
    newest,
    phase: { phase: 'fresh' },
    capabilities: {},
    catalogue: new Map(),
    questions: new Map(),
    backlog: [],
    cancelled: new Set(),
    pending: 0,
    outdated: new Set(),
  };
  state.peers.set(generation, peer);
  if (state.conversation.state === 'silent') release(state);
  else greet(state, peer);
}

function gone(state: State, { generation, failure }: Extract<SessionEvent, { type: 'gone' }>): void {
  const peer = state.peers.get(generation);
  if (peer === undefined) return;
  state.peers.delete(generation);
  state.actions.push({ do: 'clear-timer', timer: { kind: 'lists', generation } });
  state.actions.push({ do: 'clear-timer', timer: { kind: 'drain', generation } });
  withdraw(state, peer);
  if (state.active === peer) state.active = undefined;
  if (peer.phase.phase === 'fresh') requeue(state, peer);
  else failInFlight(state, peer, failure);
}

function awaited(state: State): void {
  // Whatever is on its way was started before this change.
  for (const peer of state.peers.values()) peer.newest = false;
  if (state.source.state === 'awaited' || state.source.state === 'late') return;
  state.source = { state: 'awaited' };
  state.actions.push({ do: 'set-timer', timer: { kind: 'hold' }, ms: state.settings.hold });
}

function expire(state: State, timer: Timer): void {
  switch (timer.kind) {
    case 'answer':
      answerAlone(state);
      return;
    case 'hold':
      state.source = { state: 'late' };
      release(state);
      return;
    case 'schema':
      releaseDeferred(state);
      return;
    case 'drain': {
      const peer = state.peers.get(timer.generation);
      if (peer !== undefined) endDrain(state, peer);
      return;
    }
    case 'lists':
      losePatience(state, timer.generation);
      return;
    case 'merge':
      endMerge(state, timer.method);
      return;
  }
}
