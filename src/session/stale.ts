import { splice } from '../wire/edit.ts';
import type { Line } from '../wire/line.ts';
import { locate, skipSpace } from '../wire/scan.ts';
import type { Reason } from './failure.ts';

/** Requests whose results show what code gave them. */
const MARKED = new Set(['tools/call', 'resources/read', 'prompts/get']);

/** Says that old code gave a result, and why. */
export interface Staleness {
  readonly generation: number;
  readonly reason: Reason;
}

/** Whether results of the method are marked when old code gave them. */
export function isMarked(method: string): boolean {
  return MARKED.has(method);
}

/**
 * Marks the result in a response as given by old code: in its `_meta`, and, where `notice` is given and the
 * result has content, by one more block of text. Everything else keeps its bytes.
 */
export function markStale(line: Line, staleness: Staleness, notice: string | undefined): Line {
  const bytes = line.bytes();
  const result = locate(bytes, ['result']);
  if (result === undefined || bytes[result.start] !== 0x7b) return line;
  const mark = `"mcp-dev":${JSON.stringify({ stale: true, ...staleness })}`;
  const meta = locate(bytes, ['result', '_meta']);
  const hasMeta = meta !== undefined && bytes[meta.start] === 0x7b;
  const edits = [
    hasMeta ? insertFirst(bytes, meta.start, mark) : insertFirst(bytes, result.start, `"_meta":{${mark}}`),
  ];
  const content = locate(bytes, ['result', 'content']);
  if (notice !== undefined && content !== undefined && bytes[content.start] === 0x5b) {
    const block = JSON.stringify({ type: 'text', text: notice });
    const isEmpty = skipSpace(bytes, content.start + 1, content.end) === content.end - 1;
    edits.push({ start: content.end - 1, end: content.end - 1, text: isEmpty ? block : `,${block}` });
  }
  return splice(line, edits);
}

/** An edit that makes `member` the first one of the object that opens at `open`. */
function insertFirst(
  bytes: Buffer,
  open: number,
  member: string,
): { start: number; end: number; text: string } {
  const isEmpty = bytes[skipSpace(bytes, open + 1, bytes.length)] === 0x7d;
  return { start: open + 1, end: open + 1, text: isEmpty ? member : `${member},` };
}
