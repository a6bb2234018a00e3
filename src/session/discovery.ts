import { editAt, splice } from '../wire/edit.ts';
import type { Line } from '../wire/line.ts';
import { ErrorCode, errorResponse, isObject, type JsonObject } from '../wire/message.ts';
import { padded } from './capabilities.ts';
import { ownResult, withoutCaching } from './results.ts';
import { type ClientRequest, type Peer, remember, type State } from './state.ts';

/** The request that tells what a server of the modern era is and can (2026-07-28, server, discover). */
export const DISCOVER = 'server/discover';

/** What a generation answered to `server/discover`, or `undefined` when that is no result. */
export function discovered(line: Line): JsonObject | undefined {
  const message = line.parse();
  return isObject(message) && isObject(message.result) ? message.result : undefined;
}

/** The result as the client may have it: with the capabilities that every process of this server advertises. */
export function passDiscovery(state: State, peer: Peer, line: Line): Line {
  const result = discovered(line);
  if (result === undefined) return line;
  peer.capabilities = isObject(result.capabilities) ? result.capabilities : {};
  remember(state, { discover: result });
  if (state.settings.transparent) return line;
  const text = JSON.stringify(padded(state, peer.capabilities));
  const edit = editAt(line, ['result', 'capabilities'], text);
  return withoutCaching(state, DISCOVER, edit === undefined ? line : splice(line, [edit]));
}

/**
 * The answer to `server/discover` while no generation can give it: what the server's last good start had said, or
 * that there is no such method, after which a client goes on with `initialize`.
 */
export function discoveryAlone(state: State, request: ClientRequest): Line {
  const { discover } = state.remembered;
  if (discover === undefined) {
    return errorResponse(request.id, ErrorCode.methodNotFound, 'mcp-dev: the server is not running');
  }
  const capabilities = padded(state, isObject(discover.capabilities) ? discover.capabilities : {});
  return ownResult(request, { ...discover, capabilities });
}
