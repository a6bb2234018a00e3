import { describe, expect, test } from 'vitest';
import { resolve } from '../../src/cli/resolve.ts';
import { hostOf } from '../config/kit.ts';
import { tempProject } from '../kit/temp-project.ts';

function read(...argv: string[]) {
  return resolve(argv, hostOf(tempProject()));
}

describe('what is meant by the words', () => {
  test.each([
    [['call', 'echo'], { name: undefined, tool: 'echo', arguments: {} }],
    [['call', 'echo', '{"a":1}'], { name: undefined, tool: 'echo', arguments: { a: 1 } }],
    [['call', 'echo', '\n  {"a": 1}'], { name: undefined, tool: 'echo', arguments: { a: 1 } }],
    [['call', 'shop', 'echo'], { name: 'shop', tool: 'echo', arguments: {} }],
    [['call', 'shop', 'echo', '{"a":1}'], { name: 'shop', tool: 'echo', arguments: { a: 1 } }],
    [['call', '--json', '42', 'echo'], { name: '42', tool: 'echo', arguments: {}, json: true }],
    [['logs'], { name: undefined, follow: false, lines: 50, source: undefined, generation: undefined }],
    [['logs', 'shop', '-f', '-n', '0', '-g', '2'], { name: 'shop', follow: true, lines: 0, generation: 2 }],
    [['status', '-w'], { watch: true, json: false }],
    [['reload', '--reason', 'why'], { name: undefined, reason: 'why' }],
  ])('%j', async (argv, command) => {
    expect(await read(...argv)).toMatchObject({ kind: 'elsewhere', command });
  });

  test.each([
    [['call'], /^name a tool: mcp-dev call \[name\] <tool> \[json\]$/],
    [['call', 'echo', '{a:1}'], /^the arguments of echo must be a JSON object/],
    [['call', 'shop', 'echo', '[1]'], /^the arguments of echo must be a JSON object/],
  ])('%j is wrong', async (argv, message) => {
    expect(await read(...argv)).toMatchObject({ kind: 'usage', message: expect.stringMatching(message) });
  });
});

test('colours are a matter of stdout', async () => {
  const host = { ...hostOf(tempProject()), stderrIsTTY: true };
  expect(await resolve(['status'], host)).toMatchObject({ color: false });
  expect(await resolve(['status'], { ...host, stdoutIsTTY: true })).toMatchObject({ color: true });
  expect(await resolve(['status', '--no-color'], { ...host, stdoutIsTTY: true })).toMatchObject({
    color: false,
  });
});
