import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { alive } from '../kit/processes.ts';
import { type TempProject, tempProject } from '../kit/temp-project.ts';
import { until } from '../kit/wait.ts';
import { GATED_BUILD } from './dev.ts';
import { Live, PLAIN_JS } from './live.ts';

/** Notes what it reads, then waits for its gate. */
const BUILD = `cat src/a.js >> log.txt; ${GATED_BUILD}`;

/** A project with the gate shut. */
function gated(): TempProject {
  return tempProject({ ...PLAIN_JS, 'src/a.js': '1', 'src/b.js': '1', wait: '' });
}

/** A session whose client has asked for its first answer. */
function session(project: TempProject, ...options: string[]): Live {
  const live = Live.startIn(project, ['-v', '--build', BUILD, ...options, 'server.mjs']);
  live.client.send({
    jsonrpc: '2.0',
    id: 'hello',
    method: 'initialize',
    params: {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'client', version: '1' },
    },
  });
  return live;
}

/** Which processes were waited for, one entry each time. */
function waited(...lives: readonly Live[]): number[] {
  const lines = lives.flatMap(({ client }) => client.stderr.all).join('\n');
  return [...lines.matchAll(/ waits for the same build of process (\d+)$/gm)].map(([, pid]) => Number(pid));
}

function builds(project: TempProject): string {
  return readFileSync(project.path('log.txt'), 'utf8');
}

function running(project: TempProject): Promise<boolean> {
  return until(() => existsSync(project.path('running')), 'the build runs');
}

test('sessions that start or reload at the same time build once', async () => {
  const project = gated();
  const first = session(project, '--debounce', '100');
  await running(project);
  const second = session(project, '--debounce', '100');
  await until(() => waited(second).length === 1, 'the second waits');
  expect(waited(second)).toEqual([first.client.pid]);
  project.remove('wait');
  await Promise.all([first.tookOver(1), second.tookOver(1)]);
  expect(builds(project)).toBe('1');

  project.write('wait', '');
  project.write('src/a.js', '2');
  await until(() => waited(first, second).length === 2, 'one of them waits');
  project.remove('wait');
  await Promise.all([first.tookOver(2), second.tookOver(2)]);
  expect(builds(project)).toBe('12');
});

test('a build that began before a save is not taken over by a session that started after it', async () => {
  const project = gated();
  const first = session(project, '--watch', 'src/b.js');
  await running(project);
  project.write('src/a.js', '2');
  const second = session(project);
  // It waits once more, for it knows of the save now.
  await until(() => waited(second).length === 2, 'the second waits twice');
  project.remove('wait');
  await Promise.all([first.tookOver(1), second.tookOver(1)]);
  expect(builds(project)).toBe('12');
});

test('a session that ends in the middle of its build leaves the build to the next one', async () => {
  const project = gated();
  const first = session(project);
  await running(project);
  const second = session(project);
  await until(() => waited(second).length === 1, 'the second waits');
  await first.client.close();
  await until(() => builds(project) === '11', 'the second builds');
  project.remove('wait');
  await second.tookOver(1);
  expect(builds(project)).toBe('11');
});

test('a session that is killed in the middle of its build leaves nothing that writes beside the next build', async () => {
  const project = gated();
  const first = session(project);
  await running(project);
  const [, ...left] = first.processes;
  first.client.kill('SIGKILL');
  await first.client.exit();
  expect(left.filter(alive)).not.toEqual([]);
  const second = session(project);
  await second.client.stderrLine(/^mcp-dev ends the build that a killed process has left$/);
  await until(() => builds(project) === '11', 'the second builds');
  expect(left.filter(alive)).toEqual([]);
  project.remove('wait');
  await second.tookOver(1);
  expect(builds(project)).toBe('11');
});
