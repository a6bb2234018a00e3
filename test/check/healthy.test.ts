import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { repositoryFile } from '../kit/messages.ts';
import { tempProject } from '../kit/temp-project.ts';
import { smoke } from './smoke.ts';

const ADD = 'add={"a":1,"b":2}';
const BOTH = ['legacy', 'modern'];

/** A server, the eras that it speaks, and the words after `mcp-dev check`. */
const HEALTHY: [name: string, eras: string[], ...args: string[]][] = [
  ['SDK 1.x', ['legacy'], '--expect-tool', 'echo', '--call', 'version={}', 'fixtures/healthy/sdk1.mjs'],
  [
    'SDK 2.x',
    BOTH,
    '--era',
    'both',
    '--expect-tool',
    'echo',
    '--call',
    'version={}',
    'fixtures/healthy/sdk2.mjs',
  ],
  ['SDK 2.x, 2026-07-28 only', ['modern'], '--call', 'version={}', 'fixtures/healthy/sdk2-modern.mjs'],
  ['FastMCP', ['legacy'], '--call', ADD, 'fixtures/healthy/fastmcp.mjs'],
  ['stdlib Python', ['legacy'], '--call', 'echo={"text":"hi"}', 'fixtures/python-stdlib/server.py'],
  [
    'server-everything',
    ['legacy'],
    '--call',
    'echo={"message":"hi"}',
    '--',
    'node',
    'node_modules/.bin/mcp-server-everything',
  ],
  [
    'server-memory',
    ['legacy'],
    '--call',
    'read_graph={}',
    '--',
    'node',
    'node_modules/.bin/mcp-server-memory',
  ],
  [
    'server-filesystem',
    ['legacy'],
    '--call',
    'list_allowed_directories={}',
    '--',
    'node',
    'node_modules/.bin/mcp-server-filesystem',
    'fixtures',
  ],
  [
    'server-sequential-thinking',
    ['legacy'],
    '--',
    'node',
    'node_modules/.bin/mcp-server-sequential-thinking',
  ],
];

test.each(HEALTHY)('%s passes', async (_, eras, ...args) => {
  const run = await smoke(args);
  expect(run.of('failed')).toEqual([]);
  expect(run).toMatchObject({ code: 0, stderr: '', report: { ok: true, version: 1 } });
  const passed = run.of('passed').map(({ id }) => id);
  for (const era of eras) {
    const always = ['handshake', 'tools', 'schemas', 'names', 'end', 'leftovers', 'stdout', 'reload'];
    expect(passed).toEqual(expect.arrayContaining(always.map((id) => `${era}.${id}`)));
  }
  expect(passed.filter((id) => id.endsWith('.handshake'))).toHaveLength(eras.length);
  const wanted = args.filter((word) => word === '--call' || word === '--expect-tool').length;
  const named = passed.filter((id) => /\.(call|expect-tool)\./.test(id));
  expect(named).toHaveLength(wanted * eras.length);
});

test('a configured project needs no arguments, and is built once', async () => {
  const project = tempProject({
    'package.json': JSON.stringify({
      name: 'configured',
      'mcp-dev': { command: ['python3', 'built.py'], build: 'cp server.py built.py && echo built >> builds' },
    }),
    'server.py': fixture('server.py'),
    'tools.py': fixture('tools.py'),
  });
  const run = await smoke([], project.folder);
  expect(run.of('failed')).toEqual([]);
  expect(run).toMatchObject({ code: 0, server: { server: 'configured' } });
  expect(run.of('passed').map(({ id }) => id)).toEqual(expect.arrayContaining(['build', 'legacy.reload']));
  expect(readFileSync(project.path('builds'), 'utf8')).toBe('built\n');
});

function fixture(file: string): string {
  return readFileSync(repositoryFile(`fixtures/python-stdlib/${file}`), 'utf8');
}
