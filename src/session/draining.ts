import { notification } from '../wire/message.ts';
import { interrupt } from './interruption.ts';
import { finishDraining } from './peers.ts';
import { release } from './serving.ts';
import { type Asked, type Peer, type State, toClient } from './state.ts';

/** So many generations drain at a time; then the oldest has to end. */
const MOST_DRAINING = 3;
/** How long a generation that was replaced is kept, should its successor crash. */
const KEEP_MS = 2000;
/** What a person answers, and takes time for. */
const FOR_PEOPLE = new Set(['elicitation/create', 'sampling/createMessage']);

/** Lets a generation that was replaced finish what it was given, and keeps it in reserve for a moment. */
export function drain(state: State, peer: Peer): void {
  const { generation } = peer;
  peer.phase = { phase: 'draining', kept: true };
  state.emit({ do: 'set-timer', timer: { kind: 'keep', generation }, ms: KEEP_MS });
  startClock(state, peer, state.settings.drain);
  const draining = [...state.peers.values()].filter(({ phase }) => phase.phase === 'draining');
  for (const oldest of draining.slice(0, -MOST_DRAINING)) {
    endKeeping(state, oldest);
    endDrain(state, oldest);
  }
}

/** Lets the active generation finish what it was given, and go, so that the next one can be started. */
export function retire(state: State, peer: Peer): void {
  if (state.active === peer) state.active = undefined;
  peer.phase = { phase: 'draining', kept: false };
  startClock(state, peer, state.settings.exclusiveDrain);
  finishDraining(state, peer);
}

/** A generation that was replaced is needed in reserve no longer. */
export function endKeeping(state: State, peer: Peer): void {
  if (peer.phase.phase !== 'draining' || !peer.phase.kept) return;
  peer.phase = { phase: 'draining', kept: false };
  state.emit({ do: 'clear-timer', timer: { kind: 'keep', generation: peer.generation } });
  finishDraining(state, peer);
}

/** The era is known: what was replaced and has not shown that it speaks it cannot be kept in reserve. */
export function dismissStrangers(state: State): void {
  for (const peer of state.peers.values()) {
    if (peer.phase.phase !== 'draining' || !peer.phase.kept || peer.fits) continue;
    state.emit({ do: 'dismissed', generation: peer.generation });
    endKeeping(state, peer);
  }
}

/** The time to finish is over: what is still open is sent to another generation, or gets its answer from us. */
export function endDrain(state: State, peer: Peer): void {
  if (peer.phase.phase !== 'draining') return;
  withdraw(state, peer);
  interrupt(state, peer, {
    reason: 'server_restarted',
    summary: `generation ${peer.generation} was replaced before it had answered`,
    text: '',
    generation: peer.generation,
  });
  peer.tasks.clear();
  finishDraining(state, peer);
  release(state);
}

/** Notes that a generation asked the client something, or heard the answer: people are not hurried by its end. */
export function questionMoved(state: State, { peer, method }: Asked): void {
  if (FOR_PEOPLE.has(method) && peer.phase.phase === 'draining') moveClock(state, peer);
}

/** Takes back what a generation asked the client, because it will not be there to hear the answer. */
export function withdraw(state: State, peer: Peer): void {
  for (const [id, asked] of state.asked) {
    if (asked.peer !== peer) continue;
    state.asked.delete(id);
    const params = { requestId: JSON.parse(String(id)), reason: 'the server was replaced' };
    toClient(state, notification('notifications/cancelled', params));
  }
}

function startClock(state: State, peer: Peer, ms: number): void {
  state.emit({ do: 'set-timer', timer: { kind: 'drain', generation: peer.generation }, ms });
  moveClock(state, peer);
}

/** The clock of a draining generation stands still while a person is asked. */
function moveClock(state: State, peer: Peer): void {
  const waits = [...state.asked.values()].some(
    (asked) => asked.peer === peer && FOR_PEOPLE.has(asked.method),
  );
  const timer = { kind: 'drain', generation: peer.generation } as const;
  state.emit({ do: waits ? 'pause-timer' : 'resume-timer', timer });
}
