import type { CheckReport, CheckResult, ServerReport } from './report.ts';

/**
 * A report as JUnit XML, a suite for each server and a test case for each check. It keeps to what Ant's schema and
 * that of Jenkins have in common: all attributes that either asks for, and none that one of them does not know.
 */
export function formatJunit({ servers }: CheckReport): string {
  const suites = servers.map(suite).join('');
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites}</testsuites>\n`;
}

function suite({ server, startedAt, ms, counts, checks }: ServerReport, id: number): string {
  const head = attributes({
    package: 'mcp-dev',
    id: String(id),
    name: server,
    // The schema has no zone and no fractions.
    timestamp: startedAt.slice(0, 'YYYY-MM-DDThh:mm:ss'.length),
    hostname: 'localhost',
    tests: String(checks.length),
    failures: String(counts.failed),
    errors: '0',
    skipped: String(counts.skipped),
    time: seconds(ms),
  });
  const cases = checks.map((check) => testCase(server, check)).join('');
  return `  <testsuite${head}>\n    <properties/>\n${cases}    <system-out/>\n    <system-err/>\n  </testsuite>\n`;
}

function testCase(server: string, check: CheckResult): string {
  const head = attributes({
    name: `${check.id}: ${check.title}`,
    classname: check.era === undefined ? server : `${server}.${check.era}`,
    time: seconds(check.ms),
  });
  switch (check.status) {
    case 'passed':
      return `    <testcase${head}/>\n`;
    case 'skipped':
      return `    <testcase${head}>\n      <skipped${attributes({ message: check.message })}/>\n    </testcase>\n`;
    case 'failed': {
      const evidence = (check.evidence ?? []).map(({ source, text }) => `\n\n${source}:\n${text}`).join('');
      const failure = attributes({ message: check.message, type: check.id });
      return `    <testcase${head}>\n      <failure${failure}>${escapeXml(check.message + evidence)}</failure>\n    </testcase>\n`;
    }
  }
}

function attributes(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escapeXml(value.replaceAll(/\s+/g, ' ').trim())}"`)
    .join('');
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

/** XML has no way to write most control characters, nor half a surrogate pair; they become U+FFFD. */
function escapeXml(text: string): string {
  return text.replaceAll(UNWRITABLE, '\ufffd').replaceAll(/[<>&"\r]/g, (one) => `&#${one.charCodeAt(0)};`);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const UNWRITABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;
