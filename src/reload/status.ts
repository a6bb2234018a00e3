import type { ErrorText } from '../journal/event.ts';
import type { PastReload } from '../journal/journal.ts';
import type { StandbyStatus } from '../standby/keeper.ts';
import type { ShownChoice } from './choice.ts';
import type { ReloadMachine } from './machine.ts';

/**
 * `serving`: with the newest source; `stale`: with old code, for the newest source does not work; `building`,
 * `starting`: a reload is on its way, while the active generation serves, if there is one; `restarting`: nothing serves,
 * and another start comes by itself; `down`: nothing serves until something changes.
 */
export type ServerState = 'serving' | 'stale' | 'building' | 'starting' | 'restarting' | 'down';

/** The state of a server, from that of its reloads. */
export function serverState({ state, active, broken }: ReloadMachine['status']): ServerState {
  switch (state) {
    case 'building':
    case 'aborting':
      return 'building';
    case 'starting':
    case 'making-room':
      return 'starting';
    case 'waiting':
      return 'restarting';
    case 'idle':
      if (active === undefined) return 'down';
      return broken === undefined ? 'serving' : 'stale';
  }
}

/** Where a server stands. What is unknown, or is not there, is absent. */
export interface ServerStatus {
  readonly server: string;
  readonly state: ServerState;
  /** The active generation, its process, and how long that has run. */
  readonly generation?: number;
  readonly pid?: number;
  readonly uptimeMs?: number;
  /** In which era the client and the server speak, once that is known. */
  readonly era?: 'legacy' | 'modern';
  readonly protocolVersion?: string;
  /** Folders, files and globs. */
  readonly watched: readonly string[];
  /** What was chosen to be started instead of the server as configured. */
  readonly choice?: ShownChoice;
  /** Why the newest source does not work. */
  readonly stale?: ErrorText;
  /** The last reloads, the oldest first; `time` is ms since the epoch. */
  readonly reloads: readonly PastReload[];
  readonly crashes: number;
  /** How many lines on the server's stdout were no messages. */
  readonly strayLines: number;
  /** What was found out about the server that its author should know. */
  readonly hints: readonly string[];
  /** The process that waits to be the next generation, or why there is none. */
  readonly standby: StandbyStatus;
}
