import { expect, test } from 'vitest';
import { Live } from './live.ts';
import { loads, standbyOf, standbyUsed } from './standby-kit.ts';
import { PYTHON, pythonText } from './standby-python-kit.ts';

const COMMAND = ['-v', '--', 'python3', 'server.py'];

test('a process that waited becomes the next generation, and has run nothing of the server before', async () => {
  const live = await Live.connect(PYTHON, COMMAND);
  for (const generation of [2, 3]) {
    const pid = await standbyOf(live);
    expect(loads(live)).not.toContain(pid);
    await live.reload(generation, 'server.py', pythonText(`version ${generation}`));
    expect(standbyUsed(live, generation)).toBe(pid);
    expect(loads(live).at(-1)).toBe(pid);
    expect(await live.call()).toBe(`version ${generation}`);
    expect(await live.call('variable', { name: 'MCP_DEV_GENERATION' })).toBe(String(generation));
  }
  expect(loads(live)).toHaveLength(3);
});
