import type { Id } from '../wire/id.ts';
import type { Peer, State } from './state.ts';

const CANCELLED_REMEMBERED = 1000;

/** A draining generation that has nothing left to do, and is not kept in reserve, can be stopped. */
export function finishDraining(state: State, peer: Peer): void {
  if (peer.phase.phase !== 'draining' || peer.phase.kept || peer.pending > 0 || peer.tasks.size > 0) return;
  state.emit({ do: 'clear-timer', timer: { kind: 'drain', generation: peer.generation } });
  state.emit({ do: 'drained', generation: peer.generation });
}

/** A server may answer what was cancelled, or not: in the end such ids are forgotten. */
export function expectLateAnswer(peer: Peer, id: Id): void {
  peer.cancelled.add(id);
  const [oldest] = peer.cancelled;
  if (peer.cancelled.size > CANCELLED_REMEMBERED && oldest !== undefined) peer.cancelled.delete(oldest);
}

/** The generation that nobody has shaken hands with yet. */
export function freshPeer(state: State): Peer | undefined {
  for (const peer of state.peers.values()) if (peer.phase.phase === 'fresh') return peer;
  return undefined;
}
