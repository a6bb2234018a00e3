import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { cacheFolder } from '../../src/config/cache-folder.ts';

function withCacheHome(value: string | undefined): string {
  vi.stubEnv('XDG_CACHE_HOME', value);
  onTestFinished(() => void vi.unstubAllEnvs());
  return cacheFolder();
}

test('lies where XDG_CACHE_HOME says', () => {
  expect(withCacheHome('/var/caches')).toBe('/var/caches/mcp-dev');
});

test.each([undefined, '', 'caches', './caches'])('lies in the home folder when that is %j', (value) => {
  expect(withCacheHome(value)).toBe(join(homedir(), '.cache', 'mcp-dev'));
});
