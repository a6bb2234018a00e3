import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { tempProject } from '../kit/temp-project.ts';
import { Live, PLAIN_JS, plainText } from './live.ts';

const FOLDERS = 400;
const FILES_IN_EACH = 10;

/** How many folders and files a process watches; not known but on Linux. */
function watchesOf(pid: number): number {
  const fds = readdirSync(`/proc/${pid}/fdinfo`);
  const infos = fds.map((fd) => readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'));
  return infos.join('\n').split('\ninotify ').length - 1;
}

test('a big tree: the session answers before it is watched, and a save made in between is not lost', async () => {
  const project = tempProject(PLAIN_JS);
  for (let n = 0; n < FOLDERS * FILES_IN_EACH; n++)
    project.write(`src/part${n % FOLDERS}/file${n}.js`, `${n}`);
  const live = Live.startIn(project, ['--', 'node', 'server.mjs']);
  await live.client.initialize();
  expect(await live.call()).toBe('one');
  project.write('server.mjs', plainText('two'));
  if (process.platform === 'linux') expect(watchesOf(live.client.pid)).toBeLessThan(FOLDERS);
  await live.tookOver(2);
  expect(live.triggers).toEqual(['server.mjs']);
  expect(await live.call()).toBe('two');

  // Deep in the tree it is the same once it is watched.
  await live.reload(3, `src/part${FOLDERS - 1}/file${FOLDERS - 1}.js`, 'saved');
});
