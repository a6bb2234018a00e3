import { editAt, splice, textAt } from '../wire/edit.ts';
import { toId } from '../wire/id.ts';
import type { Line } from '../wire/line.ts';
import type { ListMethod } from './catalogue.ts';
import { questionMoved } from './draining.ts';
import { activate, readList } from './hand-over.ts';
import { beginModern } from './modern.ts';
import { type ClientRequest, type Peer, type State, toClient } from './state.ts';
import {
  ACKNOWLEDGED,
  belonging,
  forClient,
  mergeKey,
  receiveAcknowledgement,
  receivePartCancelled,
} from './subscriptions.ts';
import { noteTaskStatus, TASK_NOTIFICATIONS } from './tasks.ts';

/** Notifications of one kind that follow one another more closely than this are merged into one. */
const MERGE_MS = 50;
/** So many messages of a candidate are kept until it takes over. */
const MOST_KEPT = 1000;
/** And so many bytes of them. */
const MOST_KEPT_BYTES = 16 * 1024 * 1024;

/** A notification of a generation. */
export function receiveServerNotification(state: State, peer: Peer, method: string, line: Line): void {
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
  if (request.floor !== undefined && progress <= request.floor) return;
  request.progress = Math.max(progress, request.progress ?? progress);
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
  for (const request of state.requests.all()) {
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
