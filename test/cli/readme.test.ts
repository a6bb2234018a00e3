import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readmeTable } from '../../src/cli/help.ts';

test('the README has the table of options as it is in the program', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const between = /<!-- options -->\s*([\s\S]*?)\s*<!-- \/options -->/.exec(readme)?.[1];
  expect(between).toBe(readmeTable().trimEnd());
});
