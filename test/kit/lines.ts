import type { Readable } from 'node:stream';

/**
 * Gives each line of the stream, without its end, as bytes; split before any decoding. What is left at the
 * stream's end is no line: `unfinished` gets it, if there is something.
 */
export function readLines(
  stream: Readable,
  line: (line: Buffer) => void,
  unfinished: (rest: Buffer) => void = () => {},
): void {
  let parts: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      line(Buffer.concat([...parts, chunk.subarray(from, end)]));
      parts = [];
      from = end + 1;
    }
    if (from < chunk.length) parts.push(chunk.subarray(from));
  });
  stream.on('end', () => {
    if (parts.length > 0) unfinished(Buffer.concat(parts));
  });
}
