import type { Peer, State } from './state.ts';

/** A draining generation that has nothing left to do, and is not kept in reserve, can be stopped. */
export function finishDraining(state: State, peer: Peer): void {
  if (peer.phase.phase !== 'draining' || peer.phase.kept || peer.pending > 0 || peer.tasks.size > 0) return;
  state.emit({ do: 'clear-timer', timer: { kind: 'drain', generation: peer.generation } });
  state.emit({ do: 'drained', generation: peer.generation });
}

/** The generation that nobody has shaken hands with yet. */
export function freshPeer(state: State): Peer | undefined {
  for (const peer of state.peers.values()) if (peer.phase.phase === 'fresh') return peer;
  return undefined;
}
