import type { Line } from '../wire/line.ts';
import { isObject, type JsonObject, notification } from '../wire/message.ts';
import {
  type Catalogue,
  compareCatalogues,
  type Difference,
  LIST_METHODS,
  LISTS,
  type ListMethod,
  mayDiffer,
} from './catalogue.ts';
import { dismissStrangers, drain } from './draining.ts';
import { ask, errorText, reject } from './questions.ts';
import { calledTool } from './requests.ts';
import { dequeue, release } from './serving.ts';
import { type Peer, type Question, type State, toClient, toServer } from './state.ts';
import { listenAgain, tellSubscribers } from './subscriptions.ts';

/** How long the lists other than `tools/list` may keep a hand-over waiting. */
const OTHER_LISTS_MS = 1000;
/** How long a call waits for the client to read a tool's new output schema. */
const SCHEMA_MS = 1000;
/** A list that goes on after so many pages or bytes may have no end: it is compared as far as it was read. */
const MOST_PAGES = 1000;
const MOST_LIST_BYTES = 32 * 1024 * 1024;

/** A generation answered the handshake of an open session: bring it to where the client left the last one. */
export function prepare(state: State, peer: Peer): void {
  const { conversation } = state;
  if (conversation.state === 'legacy') {
    if (!conversation.initialized) {
      // The client has not read anything yet, so there is nothing to bring over and nobody to tell.
      handOver(state, peer);
      return;
    }
    toServer(state, peer, notification('notifications/initialized'));
  }
  applyState(state, peer);
  const reading = readLists(state, peer);
  peer.phase = { phase: 'preparing', reading, patient: true };
  state.emit({
    do: 'set-timer',
    timer: { kind: 'lists', generation: peer.generation },
    ms: OTHER_LISTS_MS,
  });
  handOverWhenRead(state, peer);
}

/** Log level and subscriptions as the client left them. */
function applyState(state: State, peer: Peer): void {
  if (state.conversation.state !== 'legacy') {
    listenAgain(state, peer);
    return;
  }
  if (state.level !== undefined) {
    ask(state, peer, { purpose: 'state' }, 'logging/setLevel', { level: state.level });
  }
  for (const uri of state.subscribed) ask(state, peer, { purpose: 'state' }, 'resources/subscribe', { uri });
}

/**
 * Asks for every list that the generation has. Those it has not are known to be empty; but the first request that a
 * generation answers in the modern era is this one for its tools.
 */
export function readLists(state: State, peer: Peer): Set<ListMethod> {
  const reading = new Set<ListMethod>();
  const isModern = state.conversation.state === 'modern';
  for (const method of LIST_METHODS) {
    if (LISTS[method].capability in peer.capabilities || (isModern && method === 'tools/list')) {
      reading.add(method);
      readList(state, peer, method);
    } else peer.catalogue.set(method, []);
  }
  return reading;
}

export function readList(state: State, peer: Peer, method: ListMethod): void {
  ask(state, peer, { purpose: 'list', method, items: [], pages: 0, bytes: 0 }, method, {});
}

/** One page of a list that we asked for. */
export function receiveList(
  state: State,
  peer: Peer,
  question: Extract<Question, { purpose: 'list' }>,
  line: Line,
): void {
  const { method, items } = question;
  const message = line.parse();
  const page = isObject(message) && isObject(message.result) ? message.result : undefined;
  if (page === undefined && !isMissing(message)) {
    if (method === 'tools/list' && peer.phase.phase === 'preparing') {
      reject(state, peer, `tools/list failed: ${errorText(message)}`);
      return;
    }
    finishReading(state, peer, method);
    return;
  }
  if (state.conversation.state === 'modern' && page !== undefined && page.resultType === undefined) {
    // Clients of the modern era refuse such results.
    const { protocolVersion } = state.conversation;
    if (peer.phase.phase === 'preparing')
      reject(
        state,
        peer,
        `it answers as a server without protocol version ${protocolVersion}, which this session has`,
      );
    return;
  }
  const found = page?.[LISTS[method].member];
  const all = Array.isArray(found) ? [...items, ...found.filter(isObject)] : items;
  const cursor = page?.nextCursor;
  const pages = question.pages + 1;
  const bytes = question.bytes + line.length;
  const isEndless = pages >= MOST_PAGES || bytes >= MOST_LIST_BYTES;
  // A cursor that comes with nothing would be asked for again and again.
  if (typeof cursor === 'string' && all.length > items.length && !isEndless) {
    ask(state, peer, { purpose: 'list', method, items: all, pages, bytes }, method, { cursor });
    return;
  }
  peer.catalogue.set(method, all);
  finishReading(state, peer, method);
}

function finishReading(state: State, peer: Peer, method: ListMethod): void {
  if (peer.phase.phase !== 'preparing') return;
  peer.phase.reading.delete(method);
  handOverWhenRead(state, peer);
}

/** The lists that are not read by now are left out, but for the tools. */
export function losePatience(state: State, generation: number): void {
  const peer = state.peers.get(generation);
  if (peer?.phase.phase !== 'preparing') return;
  peer.phase = { ...peer.phase, patient: false };
  handOverWhenRead(state, peer);
}

function handOverWhenRead(state: State, peer: Peer): void {
  if (peer.phase.phase !== 'preparing') return;
  const { reading, patient } = peer.phase;
  if (patient ? reading.size === 0 : !reading.has('tools/list')) handOver(state, peer);
}

/**
 * Makes a generation the active one. The client is told before anything of the new generation reaches it: it
 * judges results by the schemas that it knows.
 */
function handOver(state: State, peer: Peer): void {
  const before = state.active?.catalogue ?? state.catalogue;
  tellClient(state, before, peer.catalogue);
  const differences = before.has('tools/list') ? compareCatalogues(before, peer.catalogue) : undefined;
  for (const line of peer.backlog.splice(0)) toClient(state, line);
  deferCalls(state, differences ?? []);
  const outdated = [...peer.outdated];
  peer.outdated.clear();
  peer.fits = true;
  activate(state, peer, differences);
  for (const method of outdated) readList(state, peer, method);
}

/** Requests go to this generation from now on, and no longer to the one before it. */
export function activate(state: State, peer: Peer, differences?: readonly Difference[]): void {
  const old = state.active;
  state.emit({ do: 'clear-timer', timer: { kind: 'lists', generation: peer.generation } });
  peer.phase = { phase: 'active' };
  state.active = peer;
  state.first ??= peer.generation;
  state.catalogue = peer.catalogue;
  if (peer.newest) {
    state.source = { state: 'served' };
    state.emit({ do: 'clear-timer', timer: { kind: 'hold' } });
  }
  if (old !== undefined && old !== peer) drain(state, old);
  if (old !== peer) state.emit({ do: 'ready', generation: peer.generation, differences });
  if (state.conversation.state !== 'silent') dismissStrangers(state);
  release(state);
}

/** The active generation crashed a moment after it had taken over: the one before it serves again. */
export function revert(state: State, peer: Peer): void {
  const { generation } = peer;
  state.emit({ do: 'clear-timer', timer: { kind: 'keep', generation } });
  state.emit({ do: 'clear-timer', timer: { kind: 'drain', generation } });
  applyState(state, peer);
  tellClient(state, state.catalogue, peer.catalogue);
  peer.phase = { phase: 'active' };
  peer.newest = false;
  state.active = peer;
  state.catalogue = peer.catalogue;
}

function tellClient(state: State, before: Catalogue, after: Catalogue): void {
  tellSubscribers(state, before, after);
  if (state.conversation.state !== 'legacy' || !state.conversation.initialized) return;
  toClient(state, notification('notifications/tools/list_changed'));
  if (mayDiffer('prompts/list', before, after)) {
    toClient(state, notification('notifications/prompts/list_changed'));
  }
  if (mayDiffer('resources/list', before, after) || mayDiffer('resources/templates/list', before, after)) {
    toClient(state, notification('notifications/resources/list_changed'));
  }
  for (const uri of state.subscribed) {
    toClient(state, notification('notifications/resources/updated', { uri }));
  }
}

/**
 * Clients check a result against the output schema that they know. A held call of a tool with another one
 * waits until the client has read the list again.
 */
function deferCalls(state: State, differences: readonly Difference[]): void {
  const changed = new Set(
    differences
      .filter(({ noun, members }) => noun === 'tool' && members.includes('outputSchema'))
      .map(({ name }) => name),
  );
  if (changed.size === 0) return;
  const waits = [...state.held].filter(
    // Of a tool that is called through another one, or from elsewhere, the client knows no schema.
    (request) => !request.indirect && request.call === undefined && changed.has(calledTool(request) ?? ''),
  );
  if (waits.length === 0) return;
  for (const request of waits) {
    dequeue(state, request);
    state.deferred.add(request);
  }
  state.emit({ do: 'set-timer', timer: { kind: 'schema' }, ms: SCHEMA_MS });
}

function isMissing(message: unknown): boolean {
  const error: JsonObject = isObject(message) && isObject(message.error) ? message.error : {};
  return error.code === -32601;
}
