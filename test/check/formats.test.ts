import { expect, test } from 'vitest';
import { formatReport } from '../../src/check/format.ts';
import { type CheckReport, type CheckResult, count } from '../../src/check/report.ts';
import { junitFaults, parseXml, type XmlElement } from './junit-schema.ts';

const CHECKS: readonly CheckResult[] = [
  { id: 'build', title: 'the build succeeds', status: 'passed', ms: 1500 },
  {
    id: 'legacy.tools',
    title: 'its tools can be listed',
    era: 'legacy',
    status: 'failed',
    message: 'it said <no> & "never", 100%\r\nand that was it',
    evidence: [{ source: 'stderr', text: 'a\u001b[0m\u0000 ]]> :: \ud800 b\n::error::not a command' }],
    ms: 12,
  },
  { id: 'legacy.end', title: 'it ends', era: 'legacy', status: 'skipped', message: 'no "handshake"', ms: 0 },
  {
    id: 'legacy.stdout',
    title: 'stdout',
    era: 'legacy',
    status: 'skipped',
    message: 'no "handshake"',
    ms: 0,
  },
];

const REPORT: CheckReport = {
  version: 1,
  mcpDev: '0.1.0',
  ok: false,
  ms: 1600,
  counts: count(CHECKS),
  servers: ['first, of: two', 'second'].map((server) => ({
    server,
    startedAt: '2026-11-21T15:36:06.123Z',
    ok: false,
    ms: 800,
    counts: count(CHECKS),
    checks: CHECKS,
  })),
};

test('json is the report as it is', () => {
  expect(JSON.parse(formatReport(REPORT, 'json', false))).toEqual(REPORT);
});

test('junit keeps to the schema, whatever a server prints', () => {
  const root = parseXml(formatReport(REPORT, 'junit', false));
  expect(junitFaults(root)).toEqual([]);
  expect(root.children).toHaveLength(2);
  const [suite] = root.children as readonly [XmlElement];
  expect(suite.attributes).toMatchObject({
    name: 'first, of: two',
    tests: '4',
    failures: '1',
    errors: '0',
    skipped: '2',
    time: '0.800',
    timestamp: '2026-11-21T15:36:06',
  });
  const [build, tools, end] = suite.children.filter(({ name }) => name === 'testcase');
  expect(build?.attributes).toEqual({
    name: 'build: the build succeeds',
    classname: 'first, of: two',
    time: '1.500',
  });
  expect(tools?.children[0]).toMatchObject({ name: 'failure', attributes: { type: 'legacy.tools' } });
  expect(tools?.children[0]?.text).toBe(
    'it said <no> & "never", 100%\r\nand that was it\n\nstderr:\na\ufffd[0m\ufffd ]]> :: \ufffd b\n::error::not a command',
  );
  expect(end?.children[0]).toMatchObject({ name: 'skipped', attributes: { message: 'no "handshake"' } });
});

test('the schema is a judge', () => {
  const good = formatReport(REPORT, 'junit', false);
  const spoil = (from: string | RegExp, to: string) => junitFaults(parseXml(good.replace(from, to)));
  expect(spoil(' hostname="localhost"', '')).toEqual(['testsuite lacks hostname']);
  expect(spoil('time="0.800"', 'time="soon"')).toEqual(['testsuite time="soon" is no decimal']);
  expect(spoil('<properties/>', '')).toEqual([
    'testsuite holds testcase testcase testcase testcase system-out system-err',
  ]);
  expect(spoil('<skipped', '<omitted')).toEqual([
    'testcase holds omitted',
    'omitted is unknown',
    'testsuite says skipped="2", but has 1',
  ]);
  expect(spoil('tests="4"', 'tests="5"')).toEqual(['testsuite says tests="5", but has 4']);
});

test('github has one command for each failure, on one line, with everything escaped', () => {
  const lines = formatReport(REPORT, 'github', false).trimEnd().split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[0]).toBe(
    '::error title=first%2C of%3A two%3A legacy.tools::its tools can be listed: no. it said <no> & "never", 100%25' +
      '%0D%0Aand that was it%0A%0Astderr:%0Aa\u001b[0m\u0000 ]]> :: \ud800 b%0A::error::not a command',
  );
  expect(lines[1]).toMatch(/^::error title=second%3A legacy\.tools::/);
  expect(lines[2]).toBe('mcp-dev check: 1 passed, 1 failed, 2 skipped');
});

test('pretty shows evidence of what failed, and what was skipped for one reason together', () => {
  const text = formatReport(REPORT, 'pretty', false);
  expect(text).toContain(
    '  ✗ legacy.tools  its tools can be listed: no (12 ms)\n      it said <no> & "never", 100%\r\n      and that was it\n',
  );
  expect(text).toContain('      stderr said:\n      │ a');
  expect(text).toContain('  - legacy.end … legacy.stdout  2 skipped: no "handshake"\n');
  expect(text.endsWith('\n1 passed, 1 failed, 2 skipped (1.6 s)\n')).toBe(true);
  expect(formatReport(REPORT, 'pretty', true)).toContain('\u001b[31m✗');
});
