import type { LogSink } from '../report/reporter.ts';

/** More than this waits for nobody: whoever does not read our stderr misses some of it. */
const STDERR_BACKLOG = 4 * 1024 * 1024;

/**
 * Our stderr. A reader that went away, or does not keep up, must not take the session with it: then what is
 * written is lost.
 */
export function ownStderr(): LogSink & { writeBytes(chunk: Buffer): void } {
  let open = true;
  process.stderr.on('error', () => {
    open = false;
  });
  const write = (data: string | Buffer): void => {
    if (open && process.stderr.writableLength < STDERR_BACKLOG) process.stderr.write(data);
  };
  return { write, writeBytes: write };
}

/** Waits until what was written to stdout and stderr has left us, but no longer than `ms`. */
export async function flushed(ms: number): Promise<void> {
  const streams = [process.stdout, process.stderr].filter((stream) => stream.writableLength > 0);
  const written = streams.map((stream) => new Promise<void>((resolve) => stream.write('', () => resolve())));
  const timeout = new Promise<void>((resolve) => setTimeout(resolve, ms).unref());
  await Promise.race([Promise.all(written), timeout]);
}
