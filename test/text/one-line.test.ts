import { expect, test } from 'vitest';
import { oneLine } from '../../src/text/one-line.ts';

test.each([
  ['added forecast', 'added forecast'],
  [' a\r\nmcp-dev generation 9 took over\u2028b\t', 'a mcp-dev generation 9 took over b'],
  ['\u001b[31mred\u001b[0m \u202eback', '[31mred [0m back'],
  ['', ''],
  ['🙂'.repeat(300), `${'🙂'.repeat(200)}…`],
])('%j is %j in a line', (text, line) => {
  expect(oneLine(text)).toBe(line);
});
