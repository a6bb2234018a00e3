import type { Writable } from 'node:stream';
import type { LogSink } from './reporter.ts';

/** More than this waits for nobody: whoever does not read misses some of it. */
const BACKLOG = 4 * 1024 * 1024;

/**
 * A stream to say things on. A reader that went away, or does not keep up, must not take the session with it: then what
 * is written is lost.
 */
export function lossySink(stream: Writable): LogSink & { writeBytes(chunk: Buffer): void } {
  let open = true;
  stream.on('error', () => {
    open = false;
  });
  const write = (data: string | Buffer): void => {
    if (open && stream.writableLength < BACKLOG) stream.write(data);
  };
  return { write, writeBytes: write };
}
