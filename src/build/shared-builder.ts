import { privateFolder } from '../config/private-folder.ts';
import { shortHash } from '../config/short-hash.ts';
import { type HeldLock, lockAddress, takeLock, waitForRelease } from './build-lock.ts';
import { type Builder, type BuildOutcome, stopwatch } from './builder.ts';
import { EndableBuild } from './endable-build.ts';
import { ProcessGroup } from './process-group.ts';
import { findRunning, forgetRunning, noteRunning, runningFile } from './running-build.ts';
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
  /** Says in a sentence what is out of the ordinary. */
  notice(text: string): void;
}

/** A build is waited for this long, in ms, before it is said. */
const LONG_MS = 30_000;
/** Whose build is over for so long, in ms, and who still has the lock, was suspended or hangs. */
const MOST_IDLE_MS = 5000;
/** How often, in ms, who waits looks whether the build still runs. */
const GLANCE_MS = 500;

/** So often in a row a lock may be neither free nor held until it counts as broken. */
const MOST_VAIN = 20;

/**
 * Lets one process at a time run the builds of a folder and command. Who comes second waits, and takes over how
 * the build ended, unless something changed since it began: then, and when the other process died or aborted
 * its build, it is built again. What a process that was killed has left running is ended before. Where processes
 * cannot find each other, each builds by itself.
 *
 * `makeBuilder` gets whom to tell the pid of each build's first process.
 */
export function sharedBuilder(
  makeBuilder: (onStart: (leader: number) => void) => Builder,
  options: SharedBuilderOptions,
): Builder {
  const key = JSON.stringify([options.folder, options.command]);
  const name = `build-${shortHash(key)}`;
  const builds = new EndableBuild(build);
  /** Gets the pid of a build's first process. */
  let onStart: (leader: number) => void = () => {};
  const builder = makeBuilder((leader) => onStart(leader));
  /** All that was written down for others is gone again. */
  let released: Promise<unknown> = Promise.resolve();

  async function build(signal: AbortSignal): Promise<BuildOutcome> {
    const elapsed = stopwatch();
    const folder = privateFolder();
    const address = lockAddress(folder, name);
    if (address === undefined) return buildAlone(signal);
    for (let vain = 0; vain < MOST_VAIN && !signal.aborted; vain++) {
      const run = ownRun();
      const attempt = await takeLock(address, nameRun(run));
      if (attempt.kind === 'unavailable') break;
      if (attempt.kind === 'held') {
        options.began(run);
        const outcome = await buildHeld(signal, folder && runningFile(folder, name));
        released = Promise.all([released, handOn(attempt.lock, run, outcome, folder)]);
        return outcome;
      }
      let other: SharedRun | undefined;
      const patience = watchHolder(folder && runningFile(folder, name), () => other?.pid);
      const waited = await waitForRelease(address, {
        signal: AbortSignal.any([signal, patience.signal]),
        greeted(greeting) {
          other = parseRun(greeting);
          if (other !== undefined) options.began(other);
        },
        look: () =>
          other === undefined || folder === undefined ? undefined : recallResult(folder, key, other),
      });
      patience.end();
      if (waited.kind === 'unavailable' || patience.signal.aborted) break;
      if (other === undefined) continue;
      vain = 0;
      if (waited.kind !== 'released' || waited.seen === undefined) continue;
      if (!options.changedSince(other.startedAt)) return { ...waited.seen, ms: elapsed() };
    }
    return signal.aborted ? { outcome: 'aborted', ms: elapsed() } : buildAlone(signal);
  }

  /** Builds with the lock. `file` is where the build is noted as long as it runs. */
  async function buildHeld(signal: AbortSignal, file: string | undefined): Promise<BuildOutcome> {
    if (file === undefined) return builder.build(signal);
    const left = await findRunning(file);
    if (left instanceof ProcessGroup) {
      options.notice('ends the build that a killed process has left');
      await left.end();
    }
    let noted = Promise.resolve();
    onStart = (leader) => {
      noted = noteRunning(file, leader);
    };
    const outcome = await builder.build(signal);
    onStart = () => {};
    await noted;
    await forgetRunning(file);
    return outcome;
  }

  /** Aborts its signal when the lock's holder builds no more and still keeps the lock. */
  function watchHolder(file: string | undefined, holder: () => number | undefined): Patience {
    const giveUp = new AbortController();
    const began = performance.now();
    let idleSince: number | undefined;
    let said = false;
    const timer = setInterval(async () => {
      const now = performance.now();
      const who = `process ${holder() ?? '(it does not answer)'}`;
      if (!said && now - began > LONG_MS) {
        said = true;
        options.notice(`has waited ${LONG_MS / 1000} s for the same build of ${who}`);
      }
      const isOver = file !== undefined && (await findRunning(file)) === 'over';
      idleSince = isOver ? (idleSince ?? now) : undefined;
      if (idleSince === undefined || now - idleSince < MOST_IDLE_MS || giveUp.signal.aborted) return;
      options.notice(`builds without ${who}, whose build is over and which does not say how it went`);
      giveUp.abort();
    }, GLANCE_MS);
    return { signal: giveUp.signal, end: () => clearInterval(timer) };
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

interface Patience {
  /** Aborted when it is over. */
  readonly signal: AbortSignal;
  end(): void;
}

function ownRun(): SharedRun {
  return { startedAt: Date.now(), pid: process.pid };
}
