import { privateFolder } from '../config/private-folder.ts';
import { shortHash } from '../config/short-hash.ts';
import { type HeldLock, lockAddress, takeLock, waitForRelease } from './build-lock.ts';
import { type Builder, type BuildOutcome, stopwatch } from './builder.ts';
import { EndableBuild } from './endable-build.ts';
import {
  forgetResult,
  nameRun,
  noteResult,
  parseRun,
  recallResult,
  type SharedRun,
} from './shared-result.ts';

export interface SharedBuilderOptions {
  /** Where the command runs; absolute. Those who build the same by the same command share. */
  readonly folder: string;
  readonly command: string;
  /** Whether a source may have changed at that time or later; wall-clock ms. True when that is not known. */
  changedSince(ms: number): boolean;
  /** It is known which build decides: one of our own, or that of another process, which is waited for. */
  began(run: SharedRun): void;
}

/** So often in a row a lock may be neither free nor held until it counts as broken. */
const MOST_VAIN = 20;

/**
 * Lets one process at a time run the builds of a folder and command. Who comes second waits, and takes over how
 * the build ended, unless something changed since it began: then, and when the other process died or aborted
 * its build, it is built again. Where processes cannot find each other, each builds by itself.
 */
export function sharedBuilder(builder: Builder, options: SharedBuilderOptions): Builder {
  const key = JSON.stringify([options.folder, options.command]);
  const builds = new EndableBuild(build);
  /** All that was written down for others is gone again. */
  let released: Promise<unknown> = Promise.resolve();

  async function build(signal: AbortSignal): Promise<BuildOutcome> {
    const elapsed = stopwatch();
    const folder = privateFolder();
    const address = lockAddress(folder, `build-${shortHash(key)}`);
    if (address === undefined) return buildAlone(signal);
    for (let vain = 0; vain < MOST_VAIN && !signal.aborted; vain++) {
      const run = ownRun();
      const attempt = await takeLock(address, nameRun(run));
      if (attempt.kind === 'unavailable') break;
      if (attempt.kind === 'held') {
        options.began(run);
        const outcome = await builder.build(signal);
        released = Promise.all([released, handOn(attempt.lock, run, outcome, folder)]);
        return outcome;
      }
      let other: SharedRun | undefined;
      const waited = await waitForRelease(address, {
        signal,
        greeted(greeting) {
          other = parseRun(greeting);
          if (other !== undefined) options.began(other);
        },
        look: () =>
          other === undefined || folder === undefined ? undefined : recallResult(folder, key, other),
      });
      if (waited.kind === 'unavailable') break;
      if (other === undefined) continue;
      vain = 0;
      if (waited.kind !== 'released' || waited.seen === undefined) continue;
      if (!options.changedSince(other.startedAt)) return { ...waited.seen, ms: elapsed() };
    }
    return signal.aborted ? { outcome: 'aborted', ms: elapsed() } : buildAlone(signal);
  }

  /** Lets go of the lock, and those who waited for it know how the build ended. */
  async function handOn(
    lock: HeldLock,
    run: SharedRun,
    outcome: BuildOutcome,
    folder: string | undefined,
  ): Promise<void> {
    const isUseful = outcome.outcome !== 'aborted' && lock.isAwaited && folder !== undefined;
    const note = isUseful ? noteResult(folder, key, run, outcome) : undefined;
    await lock.release();
    if (note !== undefined) await forgetResult(note);
  }

  function buildAlone(signal: AbortSignal): Promise<BuildOutcome> {
    options.began(ownRun());
    return builder.build(signal);
  }

  return {
    build: (signal) => builds.start(signal),
    async close() {
      await builds.end();
      await Promise.all([builder.close(), released]);
    },
    killNow: () => builder.killNow(),
  };
}

function ownRun(): SharedRun {
  return { startedAt: Date.now(), pid: process.pid };
}
