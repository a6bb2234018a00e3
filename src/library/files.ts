import type { RunConfig } from '../config/run-config.ts';
import type { Header } from '../recording/format.ts';
import { type Recorder, recorder } from '../recording/recorder.ts';
import { redactor, redactWords } from '../recording/redact.ts';
import { type EventFile, eventFile } from '../report/event-file.ts';
import { logFile } from '../report/log-file.ts';
import type { LogSink } from '../report/reporter.ts';
import { packageVersion } from '../system/package.ts';

/*
 * The files that a configuration asks for. `onError` hears of one that cannot be written.
 */

/** The log file. */
export function logFor(
  { logFile: path, redact }: RunConfig,
  onError: (message: string) => void,
): LogSink | undefined {
  if (path === undefined) return undefined;
  const file = logFile(path, onError);
  const masked = redactor(redact);
  return { write: (text) => file.write(masked(Buffer.from(text)).toString()) };
}

/** The file of events. `stderr` is our own. */
export function eventFileFor(
  { events: path, name: server, redact }: RunConfig,
  stderr: LogSink,
  onError: (message: string) => void,
): EventFile | undefined {
  if (path === undefined) return undefined;
  return eventFile({ path, server, redact: redactor(redact), stderr, onError });
}

/** The recorder. */
export function recorderFor(config: RunConfig, onError: (message: string) => void): Recorder | undefined {
  const { record: path, redact, launch, cwd, name: server } = config;
  if (path === undefined) return undefined;
  const words = launch.kind === 'command' ? [launch.command, ...launch.args] : [launch.entry, ...launch.args];
  const header = (): Header => ({
    recording: 1,
    time: new Date().toISOString(),
    by: `mcp-dev ${packageVersion()}`,
    server,
    command: redactWords(words, redact),
    cwd,
    redacted: redact,
  });
  return recorder({ path, header, redact: redactor(redact), onError });
}
