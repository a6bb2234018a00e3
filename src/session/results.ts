import { editAt, splice, textAt } from '../wire/edit.ts';
import type { Line } from '../wire/line.ts';
import { type JsonObject, result } from '../wire/message.ts';
import { LISTS } from './catalogue.ts';
import { isEnveloped } from './envelope.ts';
import type { ClientRequest, State } from './state.ts';

/** Results that a client may keep, and for how long (2026-07-28, server, utilities, caching). */
const CACHED = new Set([...Object.keys(LISTS), 'resources/read', 'server/discover']);

/** A successful answer of ours. One to an enveloped request has what that protocol asks of every result. */
export function ownResult(request: ClientRequest, value: JsonObject): Line {
  if (!isEnveloped(request.line)) return result(request.id, value);
  const caching = CACHED.has(request.method) ? { ttlMs: 0, cacheScope: 'private' } : {};
  return result(request.id, { ...value, resultType: 'complete', ...caching });
}

/** A result as the client may keep it: not at all, since the next save may change it. */
export function withoutCaching(state: State, method: string, line: Line): Line {
  if (state.conversation.state === 'legacy' || state.settings.transparent || !CACHED.has(method)) return line;
  const path = ['result', 'ttlMs'];
  const ttl = textAt(line, path);
  const edit = ttl === undefined || ttl === '0' ? undefined : editAt(line, path, '0');
  return edit === undefined ? line : splice(line, [edit]);
}
