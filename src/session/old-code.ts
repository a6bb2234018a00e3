import type { Line } from '../wire/line.ts';
import type { Failure } from './failure.ts';
import { log } from './own-log.ts';
import { isMarked, markStale } from './stale.ts';
import type { InFlight, State } from './state.ts';

/** So many lines of an error tell a reader what is wrong; the rest is in the log. */
const FIRST_LINES = 12;

/** A result that old code gave, marked as such: old code never passes for new. */
export function showStale(state: State, request: InFlight, why: Failure, line: Line): Line {
  const isClients = request.call === undefined;
  if ((state.settings.transparent && isClients) || !isMarked(request.method)) return line;
  const { generation } = request.peer;
  const noticed = state.settings.stale === 'silent' || request.method !== 'tools/call' || !isClients;
  const notice = noticed ? undefined : wordNotice(state, generation, why);
  return markStale(line, { generation, reason: why.reason }, notice);
}

/** Tells a client that asked for log messages that old code serves from now on. */
export function logStale(state: State, why: Failure): void {
  const { active } = state;
  if (active === undefined || state.settings.stale === 'silent') return;
  log(state, 'warning', `generation ${active.generation} goes on with the code before: ${why.summary}`);
}

/** At length once for each failure, in one line after that. */
function wordNotice(state: State, generation: number, why: Failure): string {
  const summary = `mcp-dev: this result is from old code (generation ${generation}): ${why.summary}`;
  if (state.noticed === why || why.text === '') return summary;
  state.noticed = why;
  return [`${summary}`, ...why.text.split('\n').slice(0, FIRST_LINES)].join('\n');
}
