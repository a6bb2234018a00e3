import { wordCounts } from './format-pretty.ts';
import type { CheckReport, CheckResult } from './report.ts';

/**
 * A report as workflow commands of GitHub Actions: an error for each check that failed, with its evidence, which is
 * shown at the run and at the pull request.
 */
export function formatGithub({ servers, counts }: CheckReport): string {
  const lines = servers.flatMap(({ server, checks }) =>
    checks.filter(({ status }) => status === 'failed').map((check) => command(server, check)),
  );
  return `${[...lines, `mcp-dev check: ${wordCounts(counts)}`].join('\n')}\n`;
}

function command(server: string, check: CheckResult): string {
  const evidence = check.status === 'failed' ? (check.evidence ?? []) : [];
  const said = evidence.map(({ source, text }) => `\n\n${source}:\n${text}`).join('');
  const text = `${check.title}: no. ${check.message}${said}`;
  return `::error title=${escapeProperty(`${server}: ${check.id}`)}::${escapeData(text)}`;
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
