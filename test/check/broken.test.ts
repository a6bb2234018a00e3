import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import type { CheckResult } from '../../src/check/report.ts';
import { MCP_DEV } from '../e2e/run.ts';
import { alive, processesOf } from '../kit/processes.ts';
import { until } from '../kit/wait.ts';
import { smoke } from './smoke.ts';

const ADD = 'add={"a":1,"b":2}';

/** A file of `fixtures/broken`, the check that finds its fault, what its author is told, and further options. */
const BROKEN: [name: string, id: string, message: RegExp, ...options: string[]][] = [
  ['start', 'start', /^it ended \(exit code 1\) before it answered initialize: let it run until/],
  [
    'handshake',
    'legacy.handshake',
    /does not accept its answer to initialize \(serverInfo: .*correct what it answers/,
  ],
  [
    'tools',
    'legacy.tools',
    /^tools\/list was answered with the error -32603 \(registry is undefined\): correct/,
  ],
  ['tools-name', 'legacy.tools', /does not accept the answer to tools\/list, correct it \(tools\.0\.name: /],
  [
    'prompts',
    'legacy.prompts',
    /^page 2 of prompts\/list has the cursor "more".* no end: leave out nextCursor on/,
  ],
  [
    'resources',
    'legacy.resources',
    /does not accept the answer to resources\/list, correct it \(resources\.0\.uri: /,
  ],
  ['templates', 'legacy.templates', /no array "resourceTemplates" .*: put the items there$/],
  [
    'schemas',
    'legacy.schemas',
    /^the tool "add" has an inputSchema that is no valid JSON Schema, correct it: .*\/type /,
  ],
  ['schemas-array', 'legacy.schemas', /inputSchema without "type": "object" at its top \(it has "array"\)/],
  ['names', 'legacy.names', /^the tool add is listed more than once: give each its own name/],
  [
    'expect-tool',
    'legacy.expect-tool.subtract',
    /^there is no tool subtract \(it has add\): register it/,
    '--expect-tool',
    'subtract',
  ],
  [
    'call',
    'legacy.call.1',
    /isError \(the database is gone\): correct it, or what --call says/,
    '--call',
    ADD,
  ],
  [
    'call-structure',
    'legacy.call.1',
    /not what the outputSchema says, correct one of them: .*sum must be number/,
    '--call',
    ADD,
  ],
  ['stdout', 'legacy.stdout', /^it printed a line on stdout that is no message: print to stderr instead/],
  [
    'answers',
    'legacy.answers',
    /^it answered prompts\/list more than once; it answered a request with the id 99, which nobody .*: send one/,
  ],
  ['end', 'legacy.end', /^it still ran 2 s after its stdin was closed: end the process when stdin ends/],
  [
    'leftovers',
    'legacy.leftovers',
    /a process that it started lives on \(process \d+: sleep 60\): end what it starts/,
  ],
  ['reload', 'legacy.reload', /its lists differ \(~tool add description\): let nothing in them depend on/],
  [
    'reload-crash',
    'legacy.reload',
    /^generation 2 ended by itself \(exit code 7\), though its requests were answered by another process: let it/,
  ],
  [
    'reload-stdout',
    'legacy.reload',
    /^it printed a line on stdout .* not done before the reload: print to stderr/,
  ],
  [
    'reload-request',
    'legacy.reload',
    /^a request that met the reload failed \(.*-32000 busy\): answer requests/,
  ],
];

test.each(BROKEN)('fixtures/broken/%s.mjs fails exactly %s', async (name, id, message, ...options) => {
  const run = await smoke(['--era', 'legacy', ...options, `fixtures/broken/${name}.mjs`]);
  const [fault, ...others] = run.of('failed');
  expect(others).toEqual([]);
  expect(fault).toMatchObject({ id, message: expect.stringMatching(message) });
  expect(run).toMatchObject({ code: 1, stderr: '', report: { ok: false }, server: { ok: false } });
});

test('a build that fails is shown, and nothing is started', async () => {
  const run = await smoke(['--build', 'node fixtures/broken/build.mjs', 'fixtures/broken/expect-tool.mjs']);
  const source = readFileSync('fixtures/broken/build.mjs', 'utf8');
  const [, complaint] = /error\("(.*)"\)/.exec(source) as RegExpExecArray;
  expect(run.code).toBe(1);
  expect(run.of('failed')).toEqual([
    expect.objectContaining({ id: 'build', evidence: [{ source: 'build', text: complaint }] }),
  ]);
  expect(run.of('passed')).toEqual([]);
});

test('a server that refuses both handshakes speaks no era', async () => {
  const run = await smoke(['fixtures/broken/era.mjs']);
  expect(run.code).toBe(1);
  expect(run.of('failed')).toEqual([
    expect.objectContaining({
      id: 'era',
      message: expect.stringMatching(
        /^it speaks none: .*initialize .*-32600: not today.*server\/discover .*-32600/,
      ),
    }),
  ]);
});

test('an era that has to work and does not is a failure', async () => {
  const run = await smoke(['--era', 'both', '--no-reload', 'fixtures/healthy/sdk1.mjs']);
  expect(run.code).toBe(1);
  expect(run.of('failed')).toEqual([
    expect.objectContaining({
      id: 'modern.handshake',
      message: expect.stringMatching(/^the server does not speak the modern era: .*-32601.*--era$/),
    }),
  ]);
});

test('a fault of the modern era alone is one of that era', async () => {
  const run = await smoke(['--no-reload', '--expect-tool', 'nothing', 'fixtures/healthy/sdk2-modern.mjs']);
  expect(run.code).toBe(1);
  expect(run.of('failed')).toEqual([
    expect.objectContaining({ id: 'modern.expect-tool.nothing', era: 'modern' }),
  ]);
});

test('a command that does not exist is named', async () => {
  const run = await smoke(['--', 'no-such-command']);
  expect(run.of('failed')).toEqual([
    expect.objectContaining({
      id: 'start',
      message: 'command not found: no-such-command: correct the command of the server',
    }),
  ]);
});

test('--timeout bounds the whole, and leaves no process of a server that ignores everything', async () => {
  const mark = `CHECK_TIMEOUT_${process.pid}`;
  process.env[mark] = '1';
  onTestFinished(() => void delete process.env[mark]);
  const run = await smoke(['--era', 'legacy', '--timeout', '4000', 'fixtures/broken/timeout.mjs']);
  expect(run.code).toBe(1);
  expect(run.of('failed')).toEqual([
    expect.objectContaining({ id: 'legacy.tools', message: expect.stringMatching(/4000 ms .*--timeout/) }),
  ]);
  expect(run.of('skipped').at(-1)).toMatchObject({ id: 'legacy.reload', message: 'no time was left for it' });
  expect(run.report.ms).toBeLessThan(8000);
  expect(processesOf(`${mark}=1`)).toEqual([]);
});

test('what a server left behind is ended after it was found', async () => {
  const run = await smoke(['--era', 'legacy', '--no-reload', 'fixtures/broken/leftovers.mjs']);
  const [fault] = run.of('failed') as readonly [CheckResult];
  const pid = Number(/process (\d+)/.exec(fault.message ?? '')?.[1]);
  expect(pid).toBeGreaterThan(0);
  expect(alive(pid)).toBe(false);
});

test('who stops it gets what is known so far, and no process is left', async () => {
  const mark = `CHECK_STOPPED_${process.pid}`;
  const child = spawn(
    process.execPath,
    [MCP_DEV, 'check', '--era', 'legacy', 'fixtures/broken/timeout.mjs'],
    {
      env: { ...process.env, [mark]: '1', NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const exit = once(child, 'exit');
  await until(() => processesOf(`${mark}=1`).length > 1, 'the server runs');
  child.kill('SIGINT');
  const output = await text(child.stdout);
  expect(await exit).toEqual([130, null]);
  expect(output).toMatch(/: no .*\n {6}it was interrupted\n|the server starts: no/);
  expect(processesOf(`${mark}=1`)).toEqual([]);
});

test('what a server prints while it ends counts, also without a newline', async () => {
  const run = await smoke(['--era', 'legacy', '--no-reload', 'fixtures/broken/stdout-last.mjs']);
  expect(run.of('failed')).toEqual([
    expect.objectContaining({
      id: 'legacy.stdout',
      message: expect.stringMatching(/^it printed 2 lines on stdout that are no messages/),
      evidence: [{ source: 'stdout', text: 'so long\nand thanks' }],
    }),
  ]);
});
