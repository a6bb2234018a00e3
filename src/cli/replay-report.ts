import { basename } from 'node:path';
import kleur from 'kleur';
import type { Side } from '../recording/compare.ts';
import { type AnswerDifference, type ReplayOutcome, wordCall } from '../recording/replay.ts';
import type { Script } from '../recording/script.ts';
import type { ReplayConfig } from './replay-config.ts';

/** Values are shown up to so many characters. */
const SHOWN = 2000;
/** Of long texts that differ, so many characters before the difference are shown. */
const LEAD = 60;
const REQUEST_SHOWN = 500;

/** What a replay came to, for people, colours included if there are to be any. Ends with a newline. */
export function wordOutcome(
  outcome: ReplayOutcome,
  { config, script }: { readonly config: ReplayConfig; readonly script: Script },
): string {
  kleur.enabled = config.color;
  const { differences, compared } = outcome;
  const [first, ...others] = differences;
  const lines: string[] = [];
  if (first !== undefined) lines.push(...wordDifference(first));
  if (others.length > 0) {
    const answers = others.length === 1 ? '1 more answer differs' : `${others.length} more answers differ`;
    lines.push(`${answers}: ${others.map(({ call }) => wordCall(call)).join(', ')}`);
  }
  switch (outcome.kind) {
    case 'complete':
      break;
    case 'timeout':
      lines.push(
        `${kleur.red('no answer')}: within ${config.timeout} ms the server did not send ${outcome.missing}`,
      );
      break;
    case 'ended':
      lines.push(`${kleur.red('the server ended')} (${outcome.how}) before all was answered`);
      break;
  }
  const { length: all } = script.answered;
  const answers = compared === all ? `${all} answers` : `${compared} of ${all} answers`;
  const rest = wordUnanswered(script.unanswered);
  const equal = compared - differences.length;
  const isEqual = outcome.kind === 'complete' && differences.length === 0;
  lines.push(
    isEqual
      ? `${kleur.green('equal')}: ${answers} as in ${basename(config.recording)}${rest}`
      : `${answers} of ${basename(config.recording)} compared, ${equal} equal${rest}`,
  );
  return `${lines.join('\n')}\n`;
}

function wordUnanswered(count: number): string {
  if (count === 0) return '';
  return `; ${count === 1 ? '1 request has' : `${count} requests have`} no recorded answer`;
}

function wordDifference({ call, path, expected, got }: AnswerDifference): readonly string[] {
  const [left, right] = sidesOf(expected, got);
  const request = JSON.stringify(call.message);
  return [
    `${kleur.red('different')}: the answer to ${wordCall(call)}`,
    `  at ${kleur.bold(wordPath(path))}`,
    ...block('-', left).map((line) => kleur.green(line)),
    ...block('+', right).map((line) => kleur.red(line)),
    `  - is recorded, + came; the request: ${cut(request, 0, REQUEST_SHOWN)}`,
  ];
}

/** `result.content[0].text`: a step that is no plain word stands in brackets. */
function wordPath(path: readonly string[]): string {
  const [first = '', ...more] = path;
  return first + more.map((step) => (/^[A-Za-z_$][\w$]*$/.test(step) ? `.${step}` : `[${step}]`)).join('');
}

/** Both sides as text; of long ones what lies around the first character that differs. */
function sidesOf(expected: Side, got: Side): readonly [string, string] {
  const [left, right] = [textOf(expected), textOf(got)];
  if (left.length <= SHOWN && right.length <= SHOWN) return [left, right];
  let same = 0;
  while (same < left.length && left[same] === right[same]) same++;
  const from = Math.max(0, same - LEAD);
  return [cut(left, from, SHOWN), cut(right, from, SHOWN)];
}

function textOf(side: Side): string {
  return side.kind === 'nothing' ? '(nothing)' : JSON.stringify(side.value, null, 2);
}

function cut(text: string, from: number, length: number): string {
  const end = from + length;
  return `${from > 0 ? '…' : ''}${text.slice(from, end)}${end < text.length ? '…' : ''}`;
}

function block(sign: string, text: string): readonly string[] {
  return text.split('\n').map((line) => `  ${sign} ${line}`);
}
