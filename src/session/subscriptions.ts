import { editAt, splice, textAt, withId } from '../wire/edit.ts';
import { type Id, OWN_PREFIX, toId } from '../wire/id.ts';
import { Line } from '../wire/line.ts';
import { ErrorCode, isObject, type JsonObject, notification } from '../wire/message.ts';
import { type Catalogue, type ListMethod, mayDiffer } from './catalogue.ts';
import { isEnveloped, SUBSCRIPTION_ID } from './envelope.ts';
import { expectLateAnswer, freshPeer } from './peers.ts';
import { newQuestion } from './questions.ts';
import { paramsOf } from './requests.ts';
import { type ClientRequest, type Peer, type State, type Subscription, toClient, toServer } from './state.ts';

const LISTEN = 'subscriptions/listen';
export const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';

const AT_SUBSCRIPTION = ['params', '_meta', SUBSCRIPTION_ID];
/** How long a server that ended a subscription by itself is left in peace. */
const AGAIN_MS = 1000;

/** The flags of a filter with what they ask for; `resourceSubscriptions` has a list of URIs instead. */
const FLAGS: readonly { flag: string; method: string; lists: readonly ListMethod[] }[] = [
  { flag: 'toolsListChanged', method: 'notifications/tools/list_changed', lists: ['tools/list'] },
  { flag: 'promptsListChanged', method: 'notifications/prompts/list_changed', lists: ['prompts/list'] },
  {
    flag: 'resourcesListChanged',
    method: 'notifications/resources/list_changed',
    lists: ['resources/list', 'resources/templates/list'],
  },
];

/**
 * Takes over a subscription of the client: towards the client it is ours, and each generation has a part in it under
 * an id of our own. False when the request is no subscription that we know how to keep, and is to be forwarded.
 */
export function openSubscription(state: State, request: ClientRequest): boolean {
  const { conversation, active } = state;
  const mayBeModern = conversation.state === 'modern' || conversation.state === 'silent';
  if (request.method !== LISTEN || !mayBeModern || !isEnveloped(request.line)) return false;
  const { notifications } = paramsOf(request);
  const subscription: Subscription = {
    id: request.id,
    // It stays, and the chunk that it came in is not to stay with it.
    line: request.line.alone(),
    filter: isObject(notifications) ? notifications : {},
    acknowledged: false,
    missed: false,
  };
  state.requests.delete(request);
  state.subscriptions.set(request.id, subscription);
  const first = active === undefined && conversation.state === 'silent' ? freshPeer(state) : undefined;
  for (const peer of state.peers.values()) {
    // A candidate was given its part in the others before it read its lists.
    const isOpen = peer.phase.phase === 'active' || peer.phase.phase === 'preparing';
    if (isOpen || peer === first) listen(state, peer, subscription);
  }
  if (active === undefined && first === undefined && state.source.state === 'broken') acknowledgeAlone(state);
  return true;
}

/** Gives a generation its part in every subscription that it has none in. */
export function listenAgain(state: State, peer: Peer): void {
  const listening = new Set<Subscription>();
  for (const question of peer.questions.values()) {
    if (question.purpose === 'listen') listening.add(question.subscription);
  }
  for (const subscription of state.subscriptions.values()) {
    if (!listening.has(subscription)) listen(state, peer, subscription);
  }
}

function listen(state: State, peer: Peer, subscription: Subscription): void {
  const id = newQuestion(state, peer, { purpose: 'listen', subscription });
  toServer(state, peer, withId(subscription.line, id));
}

/** Tells the client that its subscriptions are open, though no generation can say so, and none will before long. */
export function acknowledgeAlone(state: State): void {
  for (const subscription of state.subscriptions.values()) {
    if (subscription.acknowledged) continue;
    acknowledge(state, subscription, subscription.filter);
    // A hand-over would tell it, but there is none as long as the era is not known.
    subscription.missed = state.conversation.state === 'silent';
  }
}

/** What a message of a generation has to do with the client's subscriptions. */
export type Belonging =
  | { readonly to: 'none' }
  | { readonly to: 'open'; readonly subscription: Subscription }
  /** The client wants to hear no more of it. */
  | { readonly to: 'over' };

/** Finds the subscription that a message of a generation is for. */
export function belonging(state: State, peer: Peer, line: Line): Belonging {
  const raw = textAt(line, AT_SUBSCRIPTION);
  if (raw === undefined) return { to: 'none' };
  const question = peer.questions.get(toId(raw) ?? raw);
  if (question?.purpose !== 'listen') return { to: raw.startsWith(`"${OWN_PREFIX}`) ? 'over' : 'none' };
  const { subscription } = question;
  const isOpen = state.subscriptions.get(subscription.id) === subscription;
  return isOpen ? { to: 'open', subscription } : { to: 'over' };
}

/** A message of a generation with the subscription's id as the client knows it. */
export function forClient(subscription: Subscription, line: Line): Line {
  const edit = editAt(line, AT_SUBSCRIPTION, String(subscription.id));
  return edit === undefined ? line : splice(line, [edit]);
}

/** A generation said that a subscription is open. The client hears that once, and is promised what it may need. */
export function receiveAcknowledgement(state: State, subscription: Subscription, line: Line): void {
  const message = line.parse();
  const params = isObject(message) && isObject(message.params) ? message.params : {};
  grant(state, subscription, isObject(params.notifications) ? params.notifications : {});
}

/** Opens a subscription with what a generation grants, and with the lists that every generation is advertised to have. */
function grant(state: State, subscription: Subscription, granted: JsonObject): void {
  if (!subscription.acknowledged) acknowledge(state, subscription, promised(state, subscription, granted));
  catchUp(state, subscription);
}

function promised(state: State, { filter }: Subscription, granted: JsonObject): JsonObject {
  if (state.settings.transparent) return granted;
  const asked = FLAGS.filter(({ flag }) => filter[flag] === true);
  return { ...granted, ...Object.fromEntries(asked.map(({ flag }) => [flag, true])) };
}

function acknowledge(state: State, subscription: Subscription, notifications: JsonObject): void {
  subscription.acknowledged = true;
  toClient(state, tagged(subscription, ACKNOWLEDGED, { notifications }));
}

/**
 * A generation answered the request behind its part in a subscription. That it ends its part ends nothing for the
 * client; neither does it that it has no subscriptions, once it is known to be of their era: the next one may have
 * them, and of reloads we tell. Every other error is the client's, as long as the subscription is not open; but what
 * a generation says that was replaced counts no more, as the next one is asked, too.
 */
export function receiveEnd(
  state: State,
  peer: Peer,
  subscription: Subscription,
  line: Line,
  outcome: 'result' | 'error',
): void {
  if (!state.subscriptions.has(subscription.id) || peer.phase.phase === 'draining') return;
  if (outcome === 'result') {
    partEnded(state, peer);
    return;
  }
  const isMissing = textAt(line, ['error', 'code']) === String(ErrorCode.methodNotFound);
  if (!subscription.acknowledged && !(isMissing && state.conversation.state === 'modern')) {
    state.subscriptions.delete(subscription.id);
    toClient(state, withId(line, subscription.id));
    return;
  }
  const why = textAt(line, ['error', 'message']) ?? 'without a reason';
  const message = `generation ${peer.generation} refuses a subscription of the client: ${why}`;
  state.emit({ do: 'warn', about: 'subscriptions', message });
  // As long as the era is open it may be a generation that never serves.
  if (state.conversation.state === 'modern') grant(state, subscription, {});
}

/** A generation cancelled its part in a subscription. False when the message is about none. */
export function receivePartCancelled(state: State, peer: Peer, id: Id): boolean {
  if (peer.questions.get(id)?.purpose !== 'listen') return false;
  peer.questions.delete(id);
  partEnded(state, peer);
  return true;
}

function partEnded(state: State, peer: Peer): void {
  if (peer === state.active) state.emit({ do: 'set-timer', timer: { kind: 'listen' }, ms: AGAIN_MS });
}

/** The client wants no more of a subscription. False when the id is that of none. */
export function cancelSubscription(state: State, id: Id, line: Line): boolean {
  const subscription = state.subscriptions.get(id);
  if (subscription === undefined) return false;
  state.subscriptions.delete(id);
  forgetMerged(state, subscription);
  for (const peer of state.peers.values()) {
    for (const [part, question] of peer.questions) {
      if (question.purpose !== 'listen' || question.subscription !== subscription) continue;
      peer.questions.delete(part);
      // It may end it with a result, or without one.
      expectLateAnswer(peer, part);
      const edit = editAt(line, ['params', 'requestId'], String(part));
      if (edit !== undefined) toServer(state, peer, splice(line, [edit]));
    }
  }
  return true;
}

/** Tells each subscription what another generation changed, as far as it asked for it. */
export function tellSubscribers(state: State, before: Catalogue, after: Catalogue): void {
  for (const subscription of state.subscriptions.values()) {
    if (subscription.acknowledged) tell(state, subscription, before, after);
    else subscription.missed = true;
  }
}

/** Notes that another generation takes over, which nobody can be told as long as the era is not known. */
export function missHandOver(state: State): void {
  for (const subscription of state.subscriptions.values()) subscription.missed = true;
}

/** Tells the open subscriptions of what they could not be told when it happened. */
export function tellMissed(state: State): void {
  for (const subscription of state.subscriptions.values()) {
    if (subscription.acknowledged) catchUp(state, subscription);
  }
}

function catchUp(state: State, subscription: Subscription): void {
  if (!subscription.missed) return;
  subscription.missed = false;
  // Nobody knows any more what it was.
  tell(state, subscription, new Map(), new Map());
}

function tell(state: State, subscription: Subscription, before: Catalogue, after: Catalogue): void {
  const { filter } = subscription;
  for (const { flag, method, lists } of FLAGS) {
    const isNews = flag === 'toolsListChanged' || lists.some((list) => mayDiffer(list, before, after));
    if (filter[flag] === true && isNews) toClient(state, tagged(subscription, method, {}));
  }
  const { resourceSubscriptions } = filter;
  if (!Array.isArray(resourceSubscriptions)) return;
  for (const uri of resourceSubscriptions) {
    toClient(state, tagged(subscription, 'notifications/resources/updated', { uri }));
  }
}

/** Ends every open subscription in the way that tells a client that nothing went wrong. */
export function endSubscriptions(state: State): void {
  for (const { id, acknowledged } of state.subscriptions.values()) {
    const ended = `{"resultType":"complete","_meta":{"${SUBSCRIPTION_ID}":${id}}}`;
    if (acknowledged) toClient(state, Line.of(`{"jsonrpc":"2.0","id":${id},"result":${ended}}`));
  }
  state.subscriptions.clear();
}

/** Notifications of one kind for one subscription are merged under this. */
export function mergeKey(method: string, { id }: Subscription): string {
  return `${method} ${id}`;
}

function forgetMerged(state: State, subscription: Subscription): void {
  for (const { method } of FLAGS) {
    const key = mergeKey(method, subscription);
    if (state.merging.has(key)) state.merging.set(key, undefined);
  }
}

function tagged(subscription: Subscription, method: string, params: JsonObject): Line {
  return forClient(subscription, notification(method, { ...params, _meta: { [SUBSCRIPTION_ID]: null } }));
}
