import { constants } from 'node:os';
import { entryBuilder } from '../build/entry-builder.ts';
import { isCompiled, startCommand } from '../config/launch.ts';
import { makeProcessFolder, removeProcessFolder } from '../config/process-folder.ts';
import { describeExit } from '../generation/exit.ts';
import { type Launch, startProcess } from '../generation/process.ts';
import { sessionEndPolicy } from '../generation/stop.ts';
import { pathMatcher } from '../recording/compare.ts';
import { type ReadRecording, readRecording } from '../recording/read.ts';
import { redactor } from '../recording/redact.ts';
import { Replay, type ReplayOutcome } from '../recording/replay.ts';
import { scriptOf } from '../recording/script.ts';
import { freshSecret } from '../reload/project-secret.ts';
import { RunningGeneration } from '../reload/running.ts';
import { lossySink } from '../report/lossy-sink.ts';
import { Line } from '../wire/line.ts';
import type { JsonObject } from '../wire/message.ts';
import type { ReplayConfig } from './replay-config.ts';
import { wordOutcome } from './replay-report.ts';

type Recording = Extract<ReadRecording, { kind: 'recording' }>;

/**
 * The replay command: one process of the server gets the client's half of a recording, and its answers are compared.
 * The report goes to stdout, what the server says on stderr to stderr. Resolves with the exit code: 0 when all answers
 * are the recorded ones, 1 when one is not or did not come, 2 when the recording cannot be read.
 */
export async function replay(config: ReplayConfig): Promise<number> {
  // Who stops reading, such as `head`, has read enough; the server has to be stopped all the same.
  process.stdout.on('error', () => {});
  const stderr = lossySink(() => process.stderr);
  const recording = readRecording(config.recording);
  if (recording.kind === 'unreadable') {
    stderr.write(`mcp-dev: ${recording.problem}\n`);
    return 2;
  }
  const { launch, cwd } = config;
  const builder = isCompiled(launch)
    ? entryBuilder({ entry: launch.entry, onOutput: (chunk) => stderr.writeBytes(chunk) })
    : undefined;
  const state = makeProcessFolder('state');
  try {
    const built = await builder?.build(new AbortController().signal);
    if (built?.outcome === 'failed') {
      stderr.write(`mcp-dev: the build failed (${built.reason})\n${built.text}\n`);
      return 1;
    }
    const ours = {
      MCP_DEV: '1',
      MCP_DEV_GENERATION: '1',
      ...(state === undefined ? {} : { MCP_DEV_STATE_DIR: state }),
    };
    const env = { MCP_DEV_SECRET: freshSecret(), ...config.env, ...ours };
    return await compareWith({ ...startCommand(launch, builder), cwd, env }, recording, config);
  } finally {
    await builder?.close();
    if (state !== undefined) removeProcessFolder(state);
  }
}

async function compareWith(
  launch: Launch,
  { header, messages }: Recording,
  config: ReplayConfig,
): Promise<number> {
  const stderr = lossySink(() => process.stderr);
  const script = scriptOf(messages);
  const redact = redactor(header.redacted);
  let strayLines = 0;
  const server = new RunningGeneration((events) => startProcess(launch, events), {
    onLine: (line) => {
      const message = line.parse();
      if (message === undefined) strayLines++;
      else pass.receive(message);
    },
    onRead() {},
    onOverflow: () => strayLines++,
    onStderr: (chunk) => stderr.writeBytes(chunk),
    onExit: (exit) => pass.ended(describeExit(exit)),
    onClosed() {},
    onRoom() {},
  });
  const pass: Replay = new Replay(script, {
    send(message) {
      server.send(Line.json(message));
      server.flush();
    },
    masked: (message) => JSON.parse(redact(Buffer.from(JSON.stringify(message))).toString()) as JsonObject,
    rules: { ignoreTimes: config.ignoreTimes, isIgnored: pathMatcher(config.ignore) },
    timeout: config.timeout,
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      server.process.killNow();
      process.exit(128 + constants.signals[signal]);
    });
  }
  const outcome = await pass.run();
  await server.process.stop(sessionEndPolicy('SIGTERM', 'client-closed'));
  if (strayLines > 0) stderr.write(`mcp-dev: ${strayLines} lines on the server's stdout were no messages\n`);
  process.stdout.write(wordOutcome(outcome, { config, script }));
  return isEqual(outcome) ? 0 : 1;
}

function isEqual(outcome: ReplayOutcome): boolean {
  return outcome.kind === 'complete' && outcome.differences.length === 0;
}
