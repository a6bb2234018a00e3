import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Puppet } from '../kit/puppet-hub.ts';
import { until } from '../kit/wait.ts';
import { Dev } from './dev.ts';

test('a private folder outlives the processes of a session, and ends with it', async () => {
  const dev = await Dev.connect();
  const folder = folderOf(await dev.puppet(1));
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  writeFileSync(join(folder, 'kept'), '');
  expect(folderOf(await dev.reload(2))).toBe(folder);
  expect(existsSync(join(folder, 'kept'))).toBe(true);

  // Each session has its own.
  const other = await Dev.connect();
  expect(folderOf(await other.puppet(1))).not.toBe(folder);
  await dev.client.close();
  expect(existsSync(folder)).toBe(false);
});

test('what a killed session has left is removed by a later one', async () => {
  const dev = await Dev.connect();
  const folder = folderOf(await dev.puppet(1));
  dev.client.kill('SIGKILL');
  await dev.client.exit();
  expect(existsSync(folder)).toBe(true);
  await Dev.connect();
  await until(() => !existsSync(folder), 'the folder is removed');
});

function folderOf({ started }: Puppet): string {
  return String(started.env.MCP_DEV_STATE_DIR);
}
