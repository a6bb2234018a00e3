import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runMcpDev } from '../e2e/run.ts';
import { repositoryFile } from '../kit/messages.ts';
import { tempProject } from '../kit/temp-project.ts';

const SERVER = repositoryFile('fixtures/broken/serve.mjs');

test.each([
  [
    ['--call', 'add', 'server.mjs'],
    /^mcp-dev: --call needs the name of a tool, "=" and its arguments \(got "add"\)/,
  ],
  [['--call', 'add={', 'server.mjs'], /^mcp-dev: --call has no valid JSON as the arguments of add /],
  [['--call', 'add=[1]', 'server.mjs'], /^mcp-dev: --call needs a JSON object as the arguments of add /],
  [
    ['--era', 'old', 'server.mjs'],
    /^mcp-dev: --era must be "auto" or "legacy" or "modern" or "both" \(got "old"\)/,
  ],
  [
    ['--format', 'xml', 'server.mjs'],
    /^mcp-dev: --format must be "pretty" or "json" or "junit" or "github" /,
  ],
  [
    ['--timeout', 'soon', 'server.mjs'],
    /^mcp-dev: --timeout must be a number of milliseconds \(got "soon"\)/,
  ],
  [
    ['--output', 'none/report.xml', 'server.mjs'],
    /^mcp-dev: --output names .*report\.xml, but there is no folder /,
  ],
  [['--watch', 'src', 'server.mjs'], /^mcp-dev: unknown option --watch; mcp-dev check --help lists all/],
  [['none.mjs'], /^mcp-dev: .*none\.mjs does not exist/],
  [[], /^mcp-dev: no server to start/],
])('%j is wrong usage', async (args, message) => {
  const project = tempProject({ 'package.json': '{}', 'server.mjs': '' });
  const { code, stdout, stderr } = await runMcpDev(['check', ...args], { cwd: project.folder });
  expect(stderr).toMatch(message);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

test('--help shows the options of the check alone, in 100 columns', async () => {
  const { code, stdout } = await runMcpDev(['check', '--help']);
  expect(code).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.slice(0, -1).filter((line) => line.length > 100)).toEqual([]);
  for (const form of [
    '--expect-tool <name>',
    "--call '<tool>=<json>'",
    '--era <auto|legacy|modern|both>',
    '--no-reload',
  ]) {
    expect(stdout).toContain(form);
  }
  expect(stdout).toContain('--ready-timeout <ms>');
  expect(stdout).not.toContain('--debounce');
});

test('--output takes the report, and stdout stays empty; paths are those of --cwd', async () => {
  const project = tempProject({
    'package.json': '{ "name": "elsewhere" }',
    'server.mjs': `import { serve } from ${JSON.stringify(SERVER)};\nserve();\n`,
    'reports/.keep': '',
  });
  const args = [
    '--era',
    'legacy',
    '--no-reload',
    '--cwd',
    project.folder,
    '--output',
    'reports/out.txt',
    'server.mjs',
  ];
  const { code, stdout, stderr } = await runMcpDev(['check', ...args], { cwd: '/' });
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' });
  const text = readFileSync(project.path('reports/out.txt'), 'utf8');
  expect(text).toMatch(
    /^elsewhere\n {2}- build {2}skipped: there is nothing to build\n {2}✓ start {2}the server starts /,
  );
  expect(text).toMatch(/\n1?\d passed, 0 failed, \d+ skipped \(\d+\.\d s\)\n$/);
});

test('-v shows what the server prints on stderr, as it comes', async () => {
  const { code, stderr } = await runMcpDev(
    ['check', '-v', '--era', 'legacy', '--no-reload', 'fixtures/broken/tools.mjs'],
    { cwd: repositoryFile('') },
  );
  expect(code).toBe(1);
  // A Python of another test may have left its cache in this very project.
  expect(stderr.replace(/^mcp-dev removed .*\n/gm, '')).toBe('TypeError: registry is undefined\n');
});

test('no project is needed, and outside of one no caches are removed', async () => {
  const place = tempProject({
    'server.mjs': `import { serve } from ${JSON.stringify(SERVER)};\nserve();\n`,
    'data/__pycache__/kept.pyc': '',
  });
  const args = ['check', '--era', 'legacy', '--', 'sh', '-c', 'exec node server.mjs'];
  const { code, stdout, stderr } = await runMcpDev(args, { cwd: place.folder });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/\n {2}✓ legacy\.reload /);
  expect(existsSync(place.path('data/__pycache__/kept.pyc'))).toBe(true);
});
