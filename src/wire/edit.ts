import type { Id } from './id.ts';
import { Line } from './line.ts';
import { locate, type Span } from './scan.ts';

/** Replaces one part of a line; everything else keeps its bytes. */
export interface Edit extends Span {
  readonly text: string;
}

/** Makes a copy of a line with some parts replaced. The edits must not overlap; their order does not matter. */
export function splice(line: Line, edits: readonly Edit[]): Line {
  const bytes = line.bytes();
  const parts: Buffer[] = [];
  let at = 0;
  for (const edit of [...edits].sort((a, b) => a.start - b.start)) {
    parts.push(bytes.subarray(at, edit.start), Buffer.from(edit.text));
    at = edit.end;
  }
  parts.push(bytes.subarray(at));
  return Line.of(Buffer.concat(parts));
}

/** An edit that sets the value at a path, or `undefined` when the line has none there. */
export function editAt(line: Line, path: readonly string[], text: string): Edit | undefined {
  const span = locate(line.bytes(), path);
  return span === undefined ? undefined : { ...span, text };
}

/** The JSON text of the value at a path, or `undefined` when the line has none there. */
export function textAt(line: Line, path: readonly string[]): string | undefined {
  const bytes = line.bytes();
  const span = locate(bytes, path);
  return span === undefined ? undefined : bytes.toString('utf8', span.start, span.end);
}

/** The line with another id. The line must have one. */
export function withId(line: Line, id: Id, ...more: readonly Edit[]): Line {
  const edit = editAt(line, ['id'], String(id));
  if (edit === undefined) throw new Error('a message without an id cannot get another one');
  return splice(line, [edit, ...more]);
}
