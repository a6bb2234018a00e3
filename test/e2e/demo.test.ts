import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { processesOf } from '../kit/processes.ts';
import { tempProject } from '../kit/temp-project.ts';
import { Arrivals, within } from '../kit/wait.ts';
import { MCP_DEV } from './run.ts';

/** The demo with a folder for temporary files of its own. */
function startDemo() {
  const project = tempProject();
  const mark = `DEMO_${randomUUID().replaceAll('-', '')}`;
  mkdirSync(project.path('tmp'));
  const child = spawn(process.execPath, [MCP_DEV, 'demo'], {
    cwd: project.folder,
    env: { ...process.env, NO_COLOR: '1', TMPDIR: project.path('tmp'), [mark]: '1' },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const printed = new Arrivals<string>('the demo');
  createInterface({ input: child.stdout }).on('line', (line) => printed.push(line));
  createInterface({ input: child.stderr }).on('line', (line) => printed.push(`stderr: ${line}`));
  const closed = once(child, 'close').then(([code]) => {
    printed.end('the demo ended');
    return { code, files: readdirSync(project.path('tmp')), processes: processesOf(`${mark}=1`) };
  });
  return {
    child,
    printed,
    end: () => within(closed, () => `the end of the demo:\n${printed.all.join('\n')}`),
  };
}

test('the demo shows the whole loop, ends by itself, and leaves nothing', async () => {
  const { printed, end } = startDemo();
  expect(await end()).toEqual({ code: 0, files: [], processes: [] });
  const said = (by: string) =>
    printed.all.flatMap((line) => line.trim().split(new RegExp(`^${by} +`))[1] ?? []);
  expect(said('client')).toEqual([
    expect.stringMatching(/^connected to "demo", protocol 2025-/),
    'tools: greet',
    'greet({"name":"Ada"}) → Hello, Ada!',
    'notifications/tools/list_changed',
    'tools: greet, add',
    'add({"a":19,"b":23}) → 42',
    'add({"a":20,"b":22}) → 42', // and why this comes from old code, on lines of its own
    'notifications/tools/list_changed',
    'greet({"name":"Ada"}) → Good evening, Ada!',
  ]);
  expect(said('mcp-dev')).toEqual([
    expect.stringMatching(/^generation 1 started /),
    expect.stringMatching(/^generation 2 took over \(server\.ts; .*\): \+tool add$/),
    expect.stringMatching(/^the build failed .*; generation 2 goes on with the code before$/),
    expect.stringMatching(/Unexpected ";"$/),
    expect.stringMatching(/server\.ts:\d+:\d+:$/),
    expect.stringContaining('const oops = ;'),
    expect.stringMatching(/\^$/),
    expect.stringMatching(/^generation 3 took over \(server\.ts; .*\): no differences$/),
  ]);
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  'a demo that is ended by %s leaves nothing either',
  async (signal) => {
    const { child, printed, end } = startDemo();
    await printed.find((line) => line.includes('Hello, Ada!'), 'the first call');
    child.kill(signal);
    expect(await end()).toEqual({ code: signal === 'SIGINT' ? 130 : 143, files: [], processes: [] });
  },
);

test('a demo that nobody reads any more leaves nothing either', async () => {
  const { child, printed, end } = startDemo();
  await printed.find((line) => line.includes('Hello, Ada!'), 'the first call');
  child.stdout.destroy();
  expect(await end()).toMatchObject({ code: 1, files: [], processes: [] });
});
