import kleur from 'kleur';
import { beforeEach, expect, test } from 'vitest';
import { statusLines } from '../../src/cli/elsewhere/status-view.ts';
import type { Hello } from '../../src/control/protocol.ts';
import type { PastReload } from '../../src/journal/journal.ts';
import type { ServerStatus } from '../../src/reload/status.ts';

const AT = new Date(2026, 0, 2, 14, 2, 11).getTime();

const HELLO: Hello = {
  reply: 'hello',
  protocol: 1,
  version: '1.0.0',
  name: 'shop',
  cwd: '/home/me/shop',
  root: '/home/me/shop',
  pid: 4200,
  startedAt: AT,
};

const STATUS: ServerStatus = {
  server: 'shop',
  state: 'serving',
  generation: 3,
  pid: 4242,
  uptimeMs: 252_000,
  era: 'legacy',
  protocolVersion: '2025-11-25',
  watched: ['/home/me/shop/src', '/home/me/other'],
  reloads: [],
  crashes: 0,
  hints: [],
  strayLines: 0,
  standby: { kind: 'waiting', pid: 4243, residentBytes: 51_300_000 },
};

function reload(more: Partial<PastReload>): PastReload {
  return {
    event: 'reload',
    ok: true,
    time: AT,
    generation: 2,
    trigger: { kind: 'change', paths: ['/home/me/shop/src/a.ts'] },
    ms: { gather: 10, build: 0, start: 90, total: 100 },
    added: [],
    removed: [],
    changed: [],
    ...more,
  };
}

function view(status: Partial<ServerStatus>, columns = 80, now = AT): readonly string[] {
  const shown = { hello: HELLO, status: { ...STATUS, ...status }, at: AT };
  return statusLines(shown, { columns, now, reloads: 8 });
}

beforeEach(() => {
  kleur.enabled = false;
});

test('it says what serves, for how long by now, and what is watched', () => {
  expect(view({}, 80, AT + 5000)).toEqual([
    '● shop  serving',
    '  generation 3, process 4242, up 4 m 17 s, protocol 2025-11-25 (legacy)',
    '  watches src, /home/me/other',
    '  standby: process 4243 waits, 51 MB',
    '  mcp-dev 1.0.0, process 4200, in /home/me/shop',
  ]);
});

test('bars are as long as the times beside the slowest, and show each phase', () => {
  const slow = reload({
    generation: 3,
    ms: { gather: 0, build: 100, start: 100, total: 200 },
    added: ['tool add'],
    removed: ['tool old'],
    changed: ['tool echo inputSchema'],
  });
  expect(view({ reloads: [reload({}), slow] }).slice(6)).toEqual([
    '  last reloads   ░ wait  ▓ build  █ start',
    '  14:02:11  #2   src/a.ts',
    '            ░███████████             wait 10, start 90, all 100 ms',
    '  14:02:11  #3   src/a.ts  +tool add  -tool old  ~tool echo inputSchema',
    '            ▓▓▓▓▓▓▓▓▓▓▓▓████████████ build 100, start 100, all 200 ms',
  ]);
});

test('a reload that failed shows why, and so does a server with old code', () => {
  const error = {
    reason: 'build_failed',
    summary: 'the build failed',
    text: 'a.ts:1: no\n  here\n\n',
  } as const;
  const failed = reload({ ok: false, error });
  const lines = view({ state: 'stale', stale: error, reloads: [failed] });
  expect(lines[0]).toBe('● shop  stale');
  expect(lines.slice(7)).toEqual([
    '  14:02:11  ✘    src/a.ts  the build failed',
    '',
    '  the build failed',
    '  │ a.ts:1: no',
    '  │   here',
  ]);
});

test('of a long error the beginning is shown, and where the rest is', () => {
  const text = Array.from({ length: 20 }, (_, n) => `line ${n}`).join('\n');
  const lines = view({ state: 'down', stale: { reason: 'start_failed', summary: 'no', text } });
  expect(lines.slice(-2)).toEqual(['  │ line 11', '  │ … 8 more: mcp-dev logs']);
});

test('crashes and stray lines are counted', () => {
  const lines = view({ crashes: 1, strayLines: 2 });
  expect(lines.slice(5)).toEqual(['  1 crash', "  2 lines on the server's stdout were no messages"]);
});

test.each([20, 40, 60, 80, 120])('no line is longer than %i columns', (columns) => {
  const text = 'x'.repeat(300);
  const stale = { reason: 'build_failed', summary: text, text } as const;
  const lines = view({ server: text, reloads: [reload({ added: [text] })], stale, state: 'stale' }, columns);
  expect(Math.max(...lines.map(({ length }) => length))).toBe(columns);
});

test('nothing that a server says reaches the terminal as a command', () => {
  const evil = 'a\u001b[2Jb\u0007c\u009b31md\r\u001b]0;title\u0007';
  const stale = { reason: 'build_failed', summary: evil, text: evil } as const;
  const lines = view({ server: evil, watched: [evil], reloads: [reload({ added: [evil] })], stale });
  expect(lines.filter((line) => /\p{Cc}/u.test(line))).toEqual([]);
});

test('in colour the text is the same', () => {
  const options = { reloads: [reload({ added: ['tool add'] })] };
  const plain = view(options);
  kleur.enabled = true;
  const colored = view(options);
  expect(colored.join('\n')).toContain(kleur.green('+tool add'));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with it
  expect(colored.map((line) => line.replace(/\u001b\[\d+m/g, ''))).toEqual(plain);
});
