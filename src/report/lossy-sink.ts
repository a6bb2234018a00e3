import type { Writable } from 'node:stream';
import type { LogSink } from './reporter.ts';

/** More than this waits for nobody: whoever does not read misses some of it. */
const BACKLOG = 4 * 1024 * 1024;

/**
 * A stream to say things on. A reader that went away, or does not keep up, must not take the session with it: then what
 * is written is lost.
 *
 * @param open gives the stream, and is called when there is something to say: to make a stream takes time
 */
export function lossySink(open: () => Writable): LogSink & { writeBytes(chunk: Buffer): void } {
  let stream: Writable | undefined;
  let isGone = false;
  const write = (data: string | Buffer): void => {
    if (stream === undefined) {
      stream = open();
      stream.on('error', () => {
        isGone = true;
      });
    }
    if (!isGone && stream.writableLength < BACKLOG) stream.write(data);
  };
  return { write, writeBytes: write };
}
