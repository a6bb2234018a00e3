import kleur from 'kleur';
import type { CheckReport, CheckResult, Counts, ServerReport } from './report.ts';

/** A report for people: a line for each check, and what belongs to those that failed. */
export function formatPretty(report: CheckReport, color: boolean): string {
  kleur.enabled = color;
  return `${[...report.servers.flatMap(serverLines), summaryLine(report)].join('\n')}\n`;
}

/** `23 passed, 1 failed, 4 skipped` */
export function wordCounts({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** A check on one line: its mark, id, title, time and message. */
function checkLine(check: CheckResult): string {
  const { id, title, ms, status, message } = check;
  const note = message === undefined ? '' : `: ${oneLine(message)}`;
  switch (status) {
    case 'passed':
      return `${kleur.green('✓')} ${kleur.bold(id)}  ${title}${kleur.dim(`${note} (${ms} ms)`)}`;
    case 'failed':
      return `${kleur.red('✗')} ${kleur.bold(id)}  ${title}: ${kleur.red('no')} ${kleur.dim(`(${ms} ms)`)}`;
    case 'skipped':
      return kleur.dim(`- ${id}  skipped${note}`);
  }
}

function serverLines({ server, checks }: ServerReport): readonly string[] {
  return [kleur.bold(server), ...groups(checks).flatMap(groupLines), ''];
}

/** Checks that were skipped one after another for the same reason stand together. */
function groups(checks: readonly CheckResult[]): readonly (readonly CheckResult[])[] {
  const all: CheckResult[][] = [];
  for (const check of checks) {
    const last = all.at(-1);
    const first = last?.[0];
    const isSame =
      first?.status === 'skipped' && check.status === 'skipped' && first.message === check.message;
    if (isSame && first.era === check.era) last?.push(check);
    else all.push([check]);
  }
  return all;
}

function groupLines(group: readonly CheckResult[]): readonly string[] {
  const [check, ...others] = group as readonly [CheckResult, ...CheckResult[]];
  const last = others.at(-1);
  if (last !== undefined) {
    const note = oneLine(check.message ?? '');
    return [kleur.dim(`  - ${check.id} … ${last.id}  ${group.length} skipped: ${note}`)];
  }
  const lines = [`  ${checkLine(check)}`];
  if (check.status !== 'failed') return lines;
  lines.push(...check.message.split('\n').map((line) => `      ${line}`));
  for (const { source, text } of check.evidence ?? []) {
    lines.push(kleur.dim(`      ${source === 'build' ? 'the build' : source} said:`));
    lines.push(...text.split('\n').map((line) => kleur.dim(`      │ ${line}`)));
  }
  return lines;
}

function summaryLine({ ok, counts, ms }: CheckReport): string {
  const paint = ok ? kleur.green : kleur.red;
  return `${paint(wordCounts(counts))} ${kleur.dim(`(${(ms / 1000).toFixed(1)} s)`)}`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ');
}
