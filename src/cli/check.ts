import { writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { SmokeRun } from '../check/check.ts';
import { formatReport } from '../check/format.ts';
import { lossySink } from '../report/lossy-sink.ts';
import { packageVersion } from '../system/package.ts';
import type { CheckConfig } from './check-config.ts';
import { catchOwnCrash } from './own-crash.ts';

const CLEAR_LINE = '\r\u001b[2K';

/** The check command: a smoke run, and the report of it. Resolves with the exit code. */
export async function check(config: CheckConfig): Promise<number> {
  const { servers, options, format, output, color, verbosity } = config;
  const stderr = lossySink(() => process.stderr);
  const showsProgress = process.stderr.isTTY === true && verbosity === 'normal';
  const progress = (text: string): void => {
    if (showsProgress) stderr.write(`${CLEAR_LINE}${text}`);
  };
  const run = new SmokeRun(servers, options, packageVersion(), {
    onBegin: ({ id, title }) => progress(`… ${id}  ${title}`),
    onResult: () => progress(''),
    onOutput: (chunk) => {
      if (verbosity === 'verbose') stderr.writeBytes(chunk);
    },
  });
  const interrupted = catchSignals(run);
  catchOwnCrash(() => run.killNow());
  const report = await run.run();
  const text = formatReport(report, format, color);
  if (output === undefined) {
    // Who stops reading has read enough.
    process.stdout.on('error', () => {});
    await new Promise<void>((resolve) => process.stdout.write(text, () => resolve()));
  } else {
    try {
      await writeFile(output, text);
    } catch (error) {
      stderr.write(`mcp-dev: cannot write the report: ${(error as Error).message}\n`);
      return 2;
    }
  }
  const signal = interrupted();
  if (signal !== undefined) return 128 + constants.signals[signal];
  return report.ok ? 0 : 1;
}

/** The first signal ends the run in order, a second one at once. Answers which one came. */
function catchSignals(run: SmokeRun): () => NodeJS.Signals | undefined {
  let first: NodeJS.Signals | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (first !== undefined) {
        run.killNow();
        process.exit(128 + constants.signals[signal]);
      }
      first = signal;
      run.interrupt(signal);
    });
  }
  return () => first;
}
