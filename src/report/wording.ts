import { relative, sep } from 'node:path';
import type { Difference } from '../session/catalogue.ts';
import type { Phases, Report, Trigger } from './report.ts';

/** Makes paths below the folder relative to it. */
export function shortenIn(root: string): (path: string) => string {
  return (path) => (path.startsWith(root + sep) ? relative(root, path) : path);
}

/** A report as the one line that people read. `shorten` makes paths short. */
export function wordReport(report: Report, shorten: (path: string) => string): string {
  switch (report.event) {
    case 'ready': {
      const { generation, trigger, phases, differences } = report;
      const what = trigger.kind === 'first-start' ? 'started' : 'took over';
      const changes = differences === undefined ? '' : `: ${wordDifferences(differences)}`;
      return `generation ${generation} ${what} (${wordTrigger(trigger, shorten)}; ${wordPhases(phases)})${changes}`;
    }
    case 'failed': {
      const { trigger, failure, serving, retryMs } = report;
      const state =
        serving === undefined
          ? `the server is down${wordRetry(retryMs)}`
          : `generation ${serving} goes on with the code before`;
      return `${failure.summary} (${wordTrigger(trigger, shorten)}); ${state}`;
    }
    case 'crashed':
      return report.serving === undefined
        ? `${report.failure.summary}${wordRetry(report.retryMs)}`
        : `${report.failure.summary}; generation ${report.serving} serves again, with the code before`;
    case 'one-at-a-time':
      return report.phase === 'start'
        ? `${report.failure.summary}, as it seems because the one before holds something that it needs: from now on each generation ends before the next one starts (--exclusive)`
        : `${report.failure.summary}, as it seems because the running program is in its way: from now on each generation ends before the next build`;
    case 'loop':
      return `reloads keep changing ${shorten(report.path)}: what they write there starts no reload any more; add it to --ignore`;
  }
}

/** `+tool add, -tool old, ~tool echo inputSchema`, as in every place where differences are shown. */
export function wordDifferences(differences: readonly Difference[]): string {
  if (differences.length === 0) return 'no differences';
  const signs = { added: '+', removed: '-', changed: '~' } as const;
  return differences
    .map(({ change, noun, name, members }) => [`${signs[change]}${noun}`, name, ...members].join(' '))
    .join(', ');
}

/** Why a reload was begun. */
export function wordTrigger(trigger: Trigger, shorten: (path: string) => string): string {
  switch (trigger.kind) {
    case 'first-start':
      return 'first start';
    case 'change': {
      const [first, second, ...more] = trigger.paths.map(shorten);
      const named = second === undefined ? `${first}` : `${first}, ${second}`;
      return more.length === 0 ? named : `${named} and ${more.length} more`;
    }
    case 'request':
      return trigger.by;
    case 'crash':
      return `in place of generation ${trigger.generation}`;
  }
}

/** How long it took: `wait 9, build 380, start 223, all 612 ms`. */
export function wordPhases({ gather, build, start, total }: Phases): string {
  const parts = [
    gather > 0 ? `wait ${gather}` : '',
    build > 0 ? `build ${build}` : '',
    `start ${start}`,
    `all ${total} ms`,
  ];
  return parts.filter((part) => part !== '').join(', ');
}

function wordRetry(retryMs: number | undefined): string {
  if (retryMs === undefined) return '; it is started again after the next change';
  return retryMs === 0 ? '; it is started again' : `; it is started again in ${retryMs / 1000} s`;
}
