import { notification } from '../wire/message.ts';
import { failInFlight, finishDraining } from './serving.ts';
import { type Asked, type Peer, type State, toClient } from './state.ts';

/** So many generations drain at a time; then the oldest has to end. */
const MOST_DRAINING = 3;
/** What a person answers, and takes time for. */
const FOR_PEOPLE = new Set(['elicitation/create', 'sampling/createMessage']);

/** Lets a generation finish what it was given. */
export function drain(state: State, peer: Peer): void {
  if (state.active === peer) state.active = undefined;
  peer.phase = { phase: 'draining' };
  runClock(state, peer);
  finishDraining(state, peer);
  const busy = [...state.peers.values()].filter(
    ({ phase, pending }) => phase.phase === 'draining' && pending > 0,
  );
  for (const oldest of busy.slice(0, -MOST_DRAINING)) endDrain(state, oldest);
}

/** The time to finish is over: what is still open gets its answer from us. */
export function endDrain(state: State, peer: Peer): void {
  withdraw(state, peer);
  failInFlight(state, peer, {
    reason: 'server_restarted',
    summary: `generation ${peer.generation} was replaced before it had answered`,
    text: '',
    generation: peer.generation,
  });
  finishDraining(state, peer);
}

/** Notes that a generation asked the client something, or heard the answer: people are not hurried by its end. */
export function questionMoved(state: State, { peer, method }: Asked): void {
  if (FOR_PEOPLE.has(method)) runClock(state, peer);
}

/** Takes back what a generation asked the client, because it will not be there to hear the answer. */
export function withdraw(state: State, peer: Peer): void {
  for (const [id, asked] of state.asked) {
    if (asked.peer !== peer) continue;
    state.asked.delete(id);
    const params = { requestId: JSON.parse(id), reason: 'the server was replaced' };
    toClient(state, notification('notifications/cancelled', params));
  }
}

/** The clock of a draining generation stands still while a person is asked, and starts over afterwards. */
function runClock(state: State, peer: Peer): void {
  if (peer.phase.phase !== 'draining') return;
  const { generation } = peer;
  const timer = { kind: 'drain', generation } as const;
  const waits = [...state.asked.values()].some(
    (asked) => asked.peer === peer && FOR_PEOPLE.has(asked.method),
  );
  if (waits) state.actions.push({ do: 'clear-timer', timer });
  else state.actions.push({ do: 'set-timer', timer, ms: state.settings.drain });
}
