import { Line } from '../wire/line.ts';
import { isObject, type JsonObject } from '../wire/message.ts';
import { isRepeatable } from './again.ts';
import { receiveResult } from './agent-calls.ts';
import { endDrain, endKeeping, retire, withdraw } from './draining.ts';
import { clientInfoOf } from './envelope.ts';
import type { SessionAction, SessionEvent, Timer } from './events.ts';
import type { Failure } from './failure.ts';
import { receiveFromClient } from './from-client.ts';
import { receiveFromServer } from './from-server.ts';
import { activate, losePatience, revert } from './hand-over.ts';
import { answerAlone, discoverAlone, greet } from './handshake.ts';
import { interrupt } from './interruption.ts';
import { greetModern } from './modern.ts';
import { logStale } from './old-code.ts';
import { callTool, hangUp } from './own-calls.ts';
import { log } from './own-log.ts';
import { freshPeer } from './peers.ts';
import { endMerge } from './server-notifications.ts';
import { holdTimeout, release, releaseDeferred } from './serving.ts';
import { inFlightOf, initialState, type Peer, type SessionSettings, type State } from './state.ts';
import { acknowledgeAlone, endSubscriptions, listenAgain, missHandOver } from './subscriptions.ts';
import { forgetTasks } from './tasks.ts';

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

  /** @param emit gets what is to be done, in order, while an event is handled; it must not hand in another one */
  constructor(settings: SessionSettings, emit: (action: SessionAction) => void) {
    this.#state = initialState(settings, emit);
  }

  /** Takes one event. */
  handle(event: SessionEvent): void {
    apply(this.#state, event);
  }

  /** How many requests of the client have no answer yet. */
  get unanswered(): number {
    let count = 0;
    for (const { call } of this.#state.requests.all()) if (call === undefined) count++;
    return count;
  }

  /** The client did more than to ask what the server is, whether that is answered or not. */
  get isInUse(): boolean {
    return this.#state.inUse;
  }

  /** It is known in which era the client and the server speak: the client did more than to ask what the server is. */
  get isSettled(): boolean {
    return this.#state.conversation.state !== 'silent';
  }

  /** In which era, and in which version of it, the client and the server speak; undefined while that is open. */
  get protocol(): { readonly era: 'legacy' | 'modern'; readonly version: string } | undefined {
    const { conversation } = this.#state;
    if (conversation.state !== 'legacy' && conversation.state !== 'modern') return undefined;
    return { era: conversation.state, version: conversation.protocolVersion };
  }

  /** What the client calls itself; undefined while it said nothing of it, or while the era is open. */
  get client(): JsonObject | undefined {
    const { conversation } = this.#state;
    if (conversation.state === 'modern') return clientInfoOf(conversation.envelope);
    if (conversation.state !== 'legacy') return undefined;
    const params = Line.of(conversation.params).parse();
    return isObject(params) && isObject(params.clientInfo) ? params.clientInfo : undefined;
  }

  /** How many bytes of requests wait for a generation. */
  get heldBytes(): number {
    return this.#state.heldBytes;
  }
}

function apply(state: State, event: SessionEvent): void {
  switch (event.type) {
    case 'client':
      receiveFromClient(state, event.line);
      return;
    case 'server': {
      const peer = state.peers.get(event.generation);
      if (peer !== undefined) receiveFromServer(state, peer, event.line);
      return;
    }
    case 'started':
      started(state, event.generation, event.newest);
      return;
    case 'gone':
      gone(state, event);
      return;
    case 'awaited':
      awaited(state, event.change);
      return;
    case 'settled':
      state.source = { state: 'served' };
      state.emit({ do: 'clear-timer', timer: { kind: 'hold' } });
      release(state);
      return;
    case 'broken':
      broken(state, event.failure);
      return;
    case 'retire': {
      const peer = state.peers.get(event.generation);
      if (peer !== undefined) retire(state, peer);
      return;
    }
    case 'revert': {
      const peer = state.peers.get(event.generation);
      if (peer === undefined) return;
      revert(state, peer);
      if (state.conversation.state === 'greeting') greet(state, peer);
      return;
    }
    case 'call':
      callTool(state, event);
      return;
    case 'hang-up':
      hangUp(state, event.call);
      return;
    case 'remembered':
      state.remembered = event.remembered;
      return;
    case 'closing':
      endSubscriptions(state);
      return;
    case 'tool-result':
      receiveResult(state, event.key, event.result);
      return;
    case 'log':
      log(state, event.level, event.text);
      return;
    case 'timer':
      expire(state, event.timer);
      return;
  }
}

function started(state: State, generation: number, newest: boolean): void {
  const peer: Peer = {
    generation,
    newest,
    phase: { phase: 'fresh' },
    fits: false,
    capabilities: {},
    catalogue: new Map(),
    questions: new Map(),
    backlog: [],
    cancelled: new Set(),
    pending: 0,
    outdated: new Set(),
    tasks: new Set(),
  };
  state.peers.set(generation, peer);
  switch (state.conversation.state) {
    case 'silent':
      // Nothing is known by which it could be judged: it takes over as it is.
      if (state.first !== undefined) missHandOver(state);
      listenAgain(state, peer);
      if (state.active === undefined) release(state);
      else activate(state, peer);
      return;
    case 'modern':
      greetModern(state, peer);
      return;
    case 'greeting':
    case 'legacy':
      greet(state, peer);
      return;
  }
}

function gone(state: State, { generation, failure }: Extract<SessionEvent, { type: 'gone' }>): void {
  const peer = state.peers.get(generation);
  if (peer === undefined) return;
  state.peers.delete(generation);
  state.emit({ do: 'clear-timer', timer: { kind: 'lists', generation } });
  state.emit({ do: 'clear-timer', timer: { kind: 'drain', generation } });
  state.emit({ do: 'clear-timer', timer: { kind: 'keep', generation } });
  withdraw(state, peer);
  forgetTasks(state, peer);
  if (state.active === peer) state.active = undefined;
  interrupt(state, peer, failure);
  // Where another generation serves, what it may be given again need not wait.
  if (state.active !== undefined) release(state);
}

function broken(state: State, failure: Failure): void {
  const isNews = state.source.state !== 'broken' || state.source.failure !== failure;
  state.source = { state: 'broken', failure };
  state.emit({ do: 'clear-timer', timer: { kind: 'hold' } });
  if (state.active === undefined) {
    answerAlone(state);
    acknowledgeAlone(state);
  } else if (isNews) logStale(state, failure);
  release(state);
}

function awaited(state: State, change: boolean): void {
  if (change) keepAtWork(state);
  // Whatever is on its way was started before this change.
  for (const peer of state.peers.values()) peer.newest = false;
  const { source } = state;
  const isOnItsWay = source.state === 'awaited' || source.state === 'late';
  if (isOnItsWay && (source.change || !change)) return;
  state.source = { state: 'awaited', change };
  state.emit({ do: 'set-timer', timer: { kind: 'hold' }, ms: state.settings.hold });
}

/** A generation that began with something that must not be done twice finishes it, though nothing is known of it. */
function keepAtWork(state: State): void {
  const peer = state.active === undefined ? freshPeer(state) : undefined;
  if (peer === undefined || state.conversation.state !== 'silent') return;
  if (inFlightOf(state, peer).some((request) => !isRepeatable(request))) activate(state, peer);
}

function expire(state: State, timer: Timer): void {
  switch (timer.kind) {
    case 'answer':
      answerAlone(state);
      return;
    case 'discover':
      discoverAlone(state);
      return;
    case 'hold':
      if (state.source.state !== 'awaited') return;
      state.source = { state: 'late', change: state.source.change };
      logStale(state, holdTimeout(state));
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
    case 'keep': {
      const peer = state.peers.get(timer.generation);
      if (peer !== undefined) endKeeping(state, peer);
      return;
    }
    case 'lists':
      losePatience(state, timer.generation);
      return;
    case 'merge':
      endMerge(state, timer.key);
      return;
    case 'listen':
      if (state.active !== undefined) listenAgain(state, state.active);
      return;
  }
}
