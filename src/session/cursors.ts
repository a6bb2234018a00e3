import { textAt } from '../wire/edit.ts';
import type { Line } from '../wire/line.ts';
import { ErrorCode, errorResponse } from '../wire/message.ts';
import { LISTS } from './catalogue.ts';
import type { ClientRequest, Peer, State } from './state.ts';

/** More cursors than this are not remembered; the oldest are forgotten first. */
const REMEMBERED = 1000;
/** Nor are such as have more characters than any server writes. */
const LONGEST = 4096;

/** Notes the cursor in a page that the client is given. */
export function noteCursor(state: State, peer: Peer, request: ClientRequest, line: Line): void {
  if (!(request.method in LISTS)) return;
  const cursor = textAt(line, ['result', 'nextCursor']);
  if (cursor === undefined || cursor.length > LONGEST) return;
  state.cursors.delete(cursor);
  state.cursors.set(cursor, peer.generation);
  const [oldest] = state.cursors.keys();
  if (state.cursors.size > REMEMBERED && oldest !== undefined) state.cursors.delete(oldest);
}

/**
 * The answer to a request with a cursor of another generation: it means nothing to this one, which might take
 * it for the beginning, so that a client would read without end (pagination, "Error Handling").
 */
export function refuseForeignCursor(state: State, peer: Peer, request: ClientRequest): Line | undefined {
  if (state.cursors.size === 0 || !(request.method in LISTS)) return undefined;
  const cursor = textAt(request.line, ['params', 'cursor']);
  const maker = cursor === undefined ? undefined : state.cursors.get(cursor);
  if (maker === undefined || maker === peer.generation) return undefined;
  const message = 'Invalid cursor: the server was replaced since it was given; read the list from the start';
  return errorResponse(request.id, ErrorCode.invalidParams, message);
}
