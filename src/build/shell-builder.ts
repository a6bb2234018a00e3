import { type Builder, type BuildOutcome, stopwatch, TEXT_LIMIT } from './builder.ts';
import { EndableBuild } from './endable-build.ts';
import { type ShellCommand, ShellRun } from './shell-run.ts';
import { Tail } from './tail.ts';

export interface ShellBuilderOptions extends ShellCommand {
  /** Gets what the build prints, stdout and stderr in one order, as it comes. */
  onOutput(chunk: Buffer): void;
  /** Gets the pid of the first process of each build, which leads a group of its own. */
  onStart?(leader: number): void;
}

/**
 * Builds by a shell command. Each build is a process group of its own, so that `npm run` → `sh` →
 * `tsc` is ended as one. A build ends with the exit of its command. What that left in its group may
 * serve the next build and lives on until `close`; what left the group detached itself by design.
 */
export function shellBuilder(options: ShellBuilderOptions): Builder {
  const builds = new EndableBuild(build);
  let runs: ShellRun[] = [];

  async function build(signal: AbortSignal): Promise<BuildOutcome> {
    const elapsed = stopwatch();
    if (signal.aborted) return { outcome: 'aborted', ms: elapsed() };
    const tail = new Tail(TEXT_LIMIT);
    const run = new ShellRun(options, (chunk) => {
      tail.push(chunk);
      options.onOutput(chunk);
    });
    runs.push(run);
    if (run.leader !== undefined) options.onStart?.(run.leader);
    const exit = await Promise.race([run.ended, aborted(signal)]);
    if (exit.kind === 'aborted') await run.end();
    runs = runs.filter((each) => each.remains);
    switch (exit.kind) {
      case 'aborted':
        return { outcome: 'aborted', ms: elapsed() };
      case 'exited':
        if (exit.code === 0) return { outcome: 'built', ms: elapsed() };
        return failed(`exit code ${exit.code}`);
      case 'signalled':
        return failed(exit.signal);
      case 'not-started':
        return failed(`cannot start: ${exit.message}`);
    }

    function failed(reason: string): BuildOutcome {
      return { outcome: 'failed', ms: elapsed(), reason, text: tail.text() };
    }
  }

  return {
    build: (signal) => builds.start(signal),
    async close() {
      await builds.end();
      await Promise.all(runs.map((run) => run.end()));
    },
    killNow() {
      for (const run of runs) run.killNow();
    },
  };
}

function aborted(signal: AbortSignal): Promise<{ readonly kind: 'aborted' }> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve({ kind: 'aborted' }), { once: true });
  });
}
