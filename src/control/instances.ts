import { unlinkSync } from 'node:fs';
import { isGone, listAddresses, type Owner } from './address.ts';
import { greet } from './connection.ts';
import type { Hello } from './protocol.ts';

/** A running `mcp-dev`. */
export interface Instance {
  readonly address: string;
  readonly hello: Hello;
}

/** Who is there: those that answered, and the process ids of those that did not. */
export interface Census {
  readonly instances: readonly Instance[];
  readonly silent: readonly number[];
}

/** Looks for all that run, the oldest first, and removes what dead ones have left. `folder` is the user's private one. */
export async function findInstances(folder: string): Promise<Census> {
  const instances: Instance[] = [];
  const silent: number[] = [];
  await Promise.all(
    listAddresses(folder).map(async ({ address, owner }) => {
      const reached = await greet(address);
      switch (reached.kind) {
        case 'hello':
          instances.push({ address, hello: reached.hello });
          return;
        case 'silent':
          silent.push(owner.pid);
          return;
        case 'nobody':
          if (reached.code === 'ECONNREFUSED') removeIfGone(address, owner);
      }
    }),
  );
  instances.sort((one, other) => one.hello.startedAt - other.hello.startedAt);
  return { instances, silent };
}

/** Removes the sockets of dead processes. */
export async function clearStale(folder: string): Promise<void> {
  for (const { address, owner } of listAddresses(folder)) {
    if (!isGone(owner)) continue;
    const reached = await greet(address);
    if (reached.kind === 'nobody' && reached.code === 'ECONNREFUSED') removeIfGone(address, owner);
  }
}

/**
 * Removes a socket on which nobody listens, if its owner is dead as well: one that lives in another container cannot be
 * seen but does listen, and one that is about to listen can be seen.
 */
function removeIfGone(address: string, owner: Owner): void {
  if (process.platform === 'win32' || !isGone(owner)) return;
  try {
    unlinkSync(address);
  } catch (error) {
    // Somebody else was faster, or it lies where nothing can be removed: it is in nobody's way.
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
  }
}
