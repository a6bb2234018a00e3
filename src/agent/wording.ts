import type { ErrorText, NamedDifferences } from '../journal/event.ts';
import type { PastReload } from '../journal/journal.ts';
import type { LogLine } from '../journal/log-ring.ts';
import type { ServerStatus } from '../reload/status.ts';
import { wordChoice, wordStandby } from '../report/status-words.ts';
import { wordPhases, wordTrigger } from '../report/wording.ts';

/** What a model reads of a status: everything that matters, as many clients show it nothing else. */
export function statusText(status: ServerStatus, shorten: (path: string) => string, now: number): string {
  const { pid, uptimeMs, era, protocolVersion, watched, stale, reloads, crashes, strayLines, choice } =
    status;
  const facts = [
    status.generation === undefined ? undefined : `generation ${status.generation}`,
    pid === undefined ? undefined : `pid ${pid}`,
    uptimeMs === undefined ? undefined : `up ${duration(uptimeMs)}`,
    era === undefined ? undefined : `${era} era, protocol version ${protocolVersion}`,
  ].filter((fact) => fact !== undefined);
  return [
    `${status.server} ${wordState(status)}`,
    ...(facts.length === 0 ? [] : [facts.join(', ')]),
    `watched: ${watched.join(', ')}`,
    ...(choice === undefined ? [] : [`chosen: ${wordChoice(choice)}`]),
    `crashes: ${crashes}, stray lines on stdout: ${strayLines}`,
    wordStandby(status.standby),
    ...status.hints.map((hint) => `hint: ${hint}`),
    ...(reloads.length === 0 ? [] : ['last reloads, the newest first:']),
    ...[...reloads].reverse().map((reload) => `- ${wordReload(reload, shorten, now)}`),
    ...(stale === undefined ? [] : ['', wordError(stale)]),
  ].join('\n');
}

/** The lines of a log, each with where it comes from; `omitted` earlier ones were too much to show. */
export function logText(lines: readonly LogLine[], omitted: number): string {
  if (lines.length === 0) return 'no such lines in the log';
  const worded = lines.map(({ time, source, generation, text }) => {
    const from = generation === undefined ? source : `${source} ${generation}`;
    return `${clock(time)} [${from}] ${text}`;
  });
  return omitted === 0
    ? worded.join('\n')
    : [`(${omitted} lines before these are left out, as they would be too much)`, ...worded].join('\n');
}

/** `+tool add, ~tool echo inputSchema`, or that there are none. */
export function wordNamed({ added, removed, changed }: NamedDifferences): string {
  const all = [
    ...added.map((name) => `+${name}`),
    ...removed.map((name) => `-${name}`),
    ...changed.map((name) => `~${name}`),
  ];
  return all.length === 0 ? 'no differences' : all.join(', ');
}

/** An error in one sentence, and in the words of whoever complained. */
export function wordError({ summary, text }: ErrorText): string {
  return text === '' ? summary : `${summary}:\n${text.trimEnd()}`;
}

function wordState({ state, generation }: ServerStatus): string {
  const meanwhile =
    generation === undefined ? 'nothing serves meanwhile' : `generation ${generation} serves meanwhile`;
  switch (state) {
    case 'serving':
      return 'is serving, with the newest source';
    case 'stale':
      return 'is stale: old code serves, for the newest source does not work';
    case 'building':
    case 'starting':
      return `is ${state}; ${meanwhile}`;
    case 'restarting':
      return 'is restarting: it failed, and is started again by itself';
    case 'down':
      return 'is down until its source changes or it is reloaded';
  }
}

/** A past reload in one line: when, why, and what came of it. */
export function wordReload(reload: PastReload, shorten: (path: string) => string, now: number): string {
  const { ok, generation, trigger, ms, error, time } = reload;
  const when = `${duration(now - time)} ago, ${wordTrigger(trigger, shorten)}`;
  if (!ok) return `${when}: failed, ${error?.summary ?? 'for no known reason'}`;
  const took = ms === undefined ? '' : ` (${wordPhases(ms)})`;
  const what = trigger.kind === 'first-start' ? 'started' : wordNamed(reload);
  return `${when}: generation ${generation}${took}: ${what}`;
}

function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}

function clock(time: number): string {
  return new Date(time).toISOString().slice(11, 23);
}
