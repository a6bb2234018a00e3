import { sep } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import kleur from 'kleur';
import type { Hello } from '../../control/protocol.ts';
import type { PastReload } from '../../journal/journal.ts';
import type { ServerState, ServerStatus } from '../../reload/status.ts';
import type { Phases } from '../../report/report.ts';
import { wordChoice, wordStandby } from '../../report/status-words.ts';
import { shortenIn, wordPhases, wordTrigger } from '../../report/wording.ts';

/** A server as it was at that moment; ms since the epoch. */
export interface Shown {
  readonly hello: Hello;
  readonly status: ServerStatus;
  readonly at: number;
}

export interface ViewOptions {
  /** No line is longer. */
  readonly columns: number;
  /** Ms since the epoch. */
  readonly now: number;
  /** So many of the last reloads at most. */
  readonly reloads: number;
}

type Paint = (text: string) => string;

/** A part of a line, in one colour. */
type Part = string | readonly [text: string, paint: Paint];

const STATES = {
  serving: ['●', kleur.green],
  stale: ['●', kleur.yellow],
  building: ['◐', kleur.cyan],
  starting: ['◐', kleur.cyan],
  restarting: ['○', kleur.yellow],
  down: ['○', kleur.red],
} as const satisfies Record<ServerState, readonly [string, Paint]>;

/** The phases of a reload in the bar: told apart by shade where there are no colours. */
const SHADES = [
  ['gather', 'wait', '░', kleur.gray],
  ['build', 'build', '▓', kleur.blue],
  ['start', 'start', '█', kleur.green],
] as const satisfies readonly (readonly [keyof Phases, string, string, Paint])[];

const LONGEST_BAR = 40;
/** Room for the times beside the bar. */
const TIMES = 44;
const INDENT = 12;
/** So many lines of an error say what is wrong; the rest is in the log. */
const ERROR_LINES = 12;

/** How a server goes, for people: a few lines, none of them longer than the screen is wide. */
export function statusLines(shown: Shown, options: ViewOptions): readonly string[] {
  const { hello, status } = shown;
  const shorten = shortenIn(hello.root);
  const lines: readonly (readonly Part[])[] = [
    headLine(status),
    ['  ', wordServing(shown, options.now)],
    ['  watches ', clean(status.watched.join(', ').replaceAll(hello.root + sep, ''))],
    ['  ', clean(wordStandby(status.standby))],
    ...(status.choice === undefined ? [] : [['  chosen: ', clean(wordChoice(status.choice))]]),
    [[`  mcp-dev ${hello.version}, process ${hello.pid}, in ${clean(hello.root)}`, kleur.dim]],
    ...troubleLines(status),
    ...timeline(status.reloads.slice(-options.reloads), options.columns, shorten),
    ...errorLines(status),
  ];
  return lines.map((parts) => paintLine(parts, options.columns));
}

function headLine({ server, state }: ServerStatus): readonly Part[] {
  const [sign, paint] = STATES[state];
  return [[`${sign} `, paint], [clean(server), kleur.bold], '  ', [state, paint]];
}

function wordServing({ status, at }: Shown, now: number): string {
  const { generation, pid, uptimeMs, era, protocolVersion } = status;
  const parts = [
    generation === undefined ? 'nothing serves' : `generation ${generation}`,
    pid === undefined ? '' : `process ${pid}`,
    uptimeMs === undefined ? '' : `up ${wordDuration(uptimeMs + now - at)}`,
    era === undefined ? '' : `protocol ${protocolVersion} (${era})`,
  ];
  return parts.filter((part) => part !== '').join(', ');
}

function troubleLines({ crashes, strayLines, hints }: ServerStatus): readonly (readonly Part[])[] {
  const lines: (readonly Part[])[] = [];
  if (crashes > 0) lines.push(['  ', [crashes === 1 ? '1 crash' : `${crashes} crashes`, kleur.red]]);
  if (strayLines > 0) {
    const what = strayLines === 1 ? '1 line' : `${strayLines} lines`;
    lines.push(['  ', [`${what} on the server's stdout were no messages`, kleur.yellow]]);
  }
  for (const hint of hints) lines.push(['  ', [clean(hint), kleur.yellow]]);
  return lines;
}

/** The last reloads, each with what it was for, what it brought, and a bar as long as it took beside the slowest. */
function timeline(
  reloads: readonly PastReload[],
  columns: number,
  shorten: (path: string) => string,
): readonly (readonly Part[])[] {
  if (reloads.length === 0) return [];
  const slowest = Math.max(1, ...reloads.map(({ ok, ms }) => (ok ? ms.total : 0)));
  const room = Math.max(0, Math.min(LONGEST_BAR, columns - INDENT - TIMES));
  const legend = SHADES.flatMap(([, word, shade, paint]): Part[] => ['  ', [shade, paint], ` ${word}`]);
  return [
    [],
    ['  last reloads ', ...legend],
    ...reloads.flatMap((reload): (readonly Part[])[] => {
      const { time, ok, generation, trigger, ms, error } = reload;
      const which: Part = ok ? [`#${generation}`.padEnd(5), kleur.bold] : ['✘    ', kleur.red];
      const why = clean(wordTrigger(trigger, shorten));
      const head: Part[] = ['  ', [wordTime(time), kleur.dim], '  ', which, why];
      if (!ok) return [[...head, '  ', [clean(error?.summary ?? ''), kleur.red]]];
      const bar = barOf(ms, slowest, room);
      return [
        [...head, ...wordDifferences(reload)],
        [' '.repeat(INDENT), ...bar, [` ${wordPhases(ms)}`, kleur.dim]],
      ];
    }),
  ];
}

/** Each phase as long as its time; whatever took any is seen. */
function barOf(ms: Phases, slowest: number, room: number): readonly Part[] {
  if (room === 0) return [];
  let left = room;
  const parts = SHADES.filter(([phase]) => ms[phase] > 0).map(([phase, , shade, paint]): Part => {
    const cells = Math.min(left, Math.max(1, Math.round((ms[phase] / slowest) * room)));
    left -= cells;
    return [shade.repeat(cells), paint];
  });
  return [...parts, ' '.repeat(left)];
}

function wordDifferences({ added, removed, changed }: PastReload): readonly Part[] {
  const parts: Part[] = [
    ...added.map((name): Part => [`+${clean(name)}`, kleur.green]),
    ...removed.map((name): Part => [`-${clean(name)}`, kleur.red]),
    ...changed.map((name): Part => [`~${clean(name)}`, kleur.yellow]),
  ];
  return parts.flatMap((part): Part[] => ['  ', part]);
}

function errorLines({ stale, state }: ServerStatus): readonly (readonly Part[])[] {
  if (stale === undefined) return [];
  const paint = STATES[state === 'serving' ? 'stale' : state][1];
  const lines = stale.text === '' ? [] : stale.text.trimEnd().split('\n');
  const more = lines.length > ERROR_LINES ? [`… ${lines.length - ERROR_LINES} more: mcp-dev logs`] : [];
  return [
    [],
    ['  ', [clean(stale.summary), (text) => kleur.bold(paint(text))]],
    ...[...lines.slice(0, ERROR_LINES), ...more].map((line): readonly Part[] => [
      ['  │ ', paint],
      clean(line),
    ]),
  ];
}

function paintLine(parts: readonly Part[], columns: number): string {
  let room = columns;
  let line = '';
  for (const part of parts) {
    const [text, paint] = typeof part === 'string' ? [part, (same: string) => same] : part;
    const cut = text.length > room ? `${text.slice(0, Math.max(0, room - 1))}…` : text;
    if (room <= 0) break;
    line += paint(cut);
    room -= cut.length;
  }
  return line.trimEnd();
}

/** Without what a terminal would obey: names and errors come from the server. */
function clean(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is meant
  return stripVTControlCharacters(text).replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
}

/** The two largest units that it has: `12 s`, `4 m 12 s`, `2 h 5 m`, `3 d 4 h`. */
function wordDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const units = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const;
  const first = units.findIndex(([count]) => count > 0);
  if (first === -1) return '0 s';
  return units
    .slice(first, first + 2)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}

function wordTime(ms: number): string {
  const date = new Date(ms);
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}
