import type { ServerStatus } from '../reload/status.ts';

/** A status as text without what changes by itself: the same text is no news. */
export function steady(status: ServerStatus): string {
  const { standby } = status;
  const still = standby.kind === 'waiting' ? { kind: standby.kind, pid: standby.pid } : standby;
  return JSON.stringify({ ...status, uptimeMs: 0, standby: still });
}
