import { expect, test } from 'vitest';
import { select, selectOne } from '../../src/cli/elsewhere/select.ts';
import type { Surroundings } from '../../src/cli/elsewhere/surroundings.ts';
import { privateFolder } from '../../src/config/private-folder.ts';
import { tempProject } from '../kit/temp-project.ts';

test('where nothing runs, it is said how to start something', async () => {
  const folder = privateFolder(tempProject().path('meeting')) ?? '';
  const place: Surroundings = {
    folder,
    cwd: '/',
    home: '/nowhere',
    print: () => {},
    complain: () => {},
  };
  const none = {
    kind: 'refused',
    code: 1,
    why: expect.stringMatching(/^no mcp-dev runs: .*"mcp-dev --terminal -- <command>" does here$/),
  };
  expect(await select(undefined, place)).toEqual(none);
  expect(await select('shop', place)).toEqual(none);
  expect(await selectOne(undefined, place)).toEqual(none);
});
