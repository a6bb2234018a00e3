import { describe, expect, test } from 'vitest';
import { Toolbox, type ToolboxPorts } from '../../src/agent/toolbox.ts';
import { Journal } from '../../src/journal/journal.ts';
import type { ReloadOutcome } from '../../src/reload/awaited.ts';
import type { LaunchChoice } from '../../src/reload/choice.ts';
import type { ServerStatus } from '../../src/reload/status.ts';
import { type JsonObject, textOf } from '../kit/messages.ts';

const STATUS: ServerStatus = {
  server: 'weather',
  state: 'down',
  watched: ['/project'],
  reloads: [],
  crashes: 0,
  strayLines: 0,
  hints: [],
  standby: { kind: 'none', reason: 'it is switched off' },
};

interface Given {
  readonly outcome?: ReloadOutcome;
  readonly status?: Partial<ServerStatus>;
  readonly ports?: Partial<ToolboxPorts>;
}

function makeToolbox({ outcome = { event: 'pending' }, status = {}, ports = {} }: Given = {}) {
  const journal = new Journal();
  const reloads: { by: string; choice: LaunchChoice | 'default' | undefined }[] = [];
  const toolbox = new Toolbox({
    server: 'weather',
    root: '/project',
    variants: {},
    allowCommands: false,
    logs: journal.logs,
    status: () => ({ ...STATUS, ...status }),
    reload: async (by, _, choice) => {
      reloads.push({ by, choice });
      return outcome;
    },
    ...ports,
  });
  return { toolbox, reloads, logs: journal.logs };
}

describe('mcp_dev_reload', () => {
  test('says that a reload goes on when it takes longer than a client waits', async () => {
    const result = await makeToolbox({ status: { state: 'starting' } }).toolbox.execute('mcp_dev_reload', {});
    expect(result).toMatchObject({ structuredContent: { server: 'weather', state: 'building' } });
    expect(result).not.toHaveProperty('isError');
    expect(result).not.toHaveProperty('structuredContent.ok');
    expect(textOf(result)).toBe(
      'The reload has not ended after 45 s; mcp_dev_status tells later what came of it.',
    );
  });

  test('tells of a crash in place of the reload', async () => {
    const failure = {
      reason: 'server_crashed',
      summary: 'it ended with exit code 3',
      text: 'last words',
      generation: 2,
    } as const;
    const outcome = { event: 'crashed', failure, serving: undefined, retryMs: 500 } as const;
    const result = await makeToolbox({ outcome }).toolbox.execute('mcp_dev_reload', {});
    expect(result).toMatchObject({
      isError: true,
      structuredContent: { ok: false, error: { text: 'last words' } },
    });
    expect(textOf(result)).toContain('it ended with exit code 3:\nlast words');
  });

  test('says what runs instead of the server as configured, which stays although it does not start', async () => {
    const failure = {
      reason: 'start_failed',
      summary: 'cannot start no-such',
      text: '',
      generation: 2,
    } as const;
    const phases = { gather: 0, build: 0, start: 0, total: 0 };
    const trigger = { kind: 'request', by: 'test' } as const;
    const outcome = { event: 'failed', trigger, phases, failure, serving: 1, retryMs: undefined } as const;
    const status = { choice: { variant: 'debug', command: 'no-such' } };
    const result = await makeToolbox({ outcome, status }).toolbox.execute('mcp_dev_reload', {});
    expect(textOf(result)).toMatch(/\nChosen, until something else is: variant "debug", command no-such$/);
  });

  test('tells whether a server that does not run is started again by itself', async () => {
    const failure = { reason: 'start_failed', summary: 'it ended', text: '', generation: 1 } as const;
    const textAfter = async (retryMs: number | undefined) => {
      const outcome = { event: 'crashed', failure, serving: undefined, retryMs } as const;
      return textOf(await makeToolbox({ outcome }).toolbox.execute('mcp_dev_reload', {}));
    };
    expect(await textAfter(500)).toContain('Nothing serves; it is started again by itself');
    expect(await textAfter(undefined)).toContain('Nothing serves until the source is mended.');
  });

  test.each<[JsonObject, LaunchChoice | 'default' | undefined]>([
    [{}, undefined],
    [{ variant: 'default' }, 'default'],
    [{ variant: 'debug' }, { variant: 'debug', override: { args: ['-d'] } }],
    [{ command: 'b' }, { override: { command: 'b' } }],
    [{ variant: 'default', env: { A: '1' } }, { override: { env: { A: '1' } } }],
    [
      { variant: 'debug', args: [] },
      { variant: 'debug', override: { args: [] } },
    ],
  ])('of %j starts what that chooses', async (args, choice) => {
    const ports = { allowCommands: true, variants: { debug: { args: ['-d'] } } };
    const { toolbox, reloads } = makeToolbox({ ports });
    await toolbox.execute('mcp_dev_reload', { ...args, reason: 'A/B' });
    expect(reloads).toEqual([{ by: 'mcp_dev_reload: A/B', choice }]);
  });
});

describe('mcp_dev_logs', () => {
  test('gives the last lines that match', async () => {
    const { toolbox, logs } = makeToolbox();
    logs.line('server', 'one', 1);
    logs.line('build', 'two');
    logs.line('server', 'three', 2);
    logs.line('server', 'four', 2);
    const texts = async (args: JsonObject) => {
      const { structuredContent } = await toolbox.execute('mcp_dev_logs', args);
      return (structuredContent as { lines: { text: string }[] }).lines.map(({ text }) => text);
    };
    expect(await texts({})).toEqual(['one', 'two', 'three', 'four']);
    expect(await texts({ source: 'server', lines: 2 })).toEqual(['three', 'four']);
    expect(await texts({ generation: 1 })).toEqual(['one']);
    expect(textOf(await toolbox.execute('mcp_dev_logs', { source: 'build' }))).toMatch(
      /^[\d:.]+ \[build\] two$/,
    );
    expect(textOf(await toolbox.execute('mcp_dev_logs', { source: 'messages' }))).toBe(
      'no such lines in the log',
    );
  });

  test('gives it without colours', async () => {
    const { toolbox, logs } = makeToolbox();
    logs.line('server', '\u001b[31mred\u001b[0m', 1);
    const result = await toolbox.execute('mcp_dev_logs', {});
    expect(textOf(result)).toMatch(/ red$/);
    expect(result).toMatchObject({ structuredContent: { lines: [{ text: 'red' }], omitted: 0 } });
  });

  test('gives no more than a model may be given at once', async () => {
    const { toolbox, logs } = makeToolbox();
    for (let number = 1; number <= 100; number++) logs.line('server', `${number} ${'x'.repeat(8000)}`, 1);
    const result = await toolbox.execute('mcp_dev_logs', { lines: 60 });
    const { lines, omitted } = result.structuredContent as { lines: { text: string }[]; omitted: number };
    expect(lines.length + omitted).toBe(60);
    expect(lines.at(-1)?.text).toMatch(/^100 x{900,}…$/);
    expect(JSON.stringify(result).length).toBeLessThan(80_000);
    expect(textOf(result)).toMatch(new RegExp(`^\\(${omitted} lines before these are left out`));
  });
});

describe('mcp_dev_status', () => {
  test('has the words of the newest failure alone', async () => {
    const failed = (text: string) => {
      const error = { reason: 'build_failed', summary: 'the build failed', text } as const;
      const trigger = { kind: 'request', by: 'test' } as const;
      const ms = { gather: 0, build: 1, start: 0, total: 1 };
      return {
        event: 'reload',
        ok: false,
        trigger,
        ms,
        added: [],
        removed: [],
        changed: [],
        error,
        time: 1,
      } as const;
    };
    const { toolbox } = makeToolbox({ status: { reloads: [failed('old words'), failed('new words')] } });
    expect(await toolbox.execute('mcp_dev_status', {})).toMatchObject({
      structuredContent: {
        reloads: [
          { error: { summary: 'the build failed', text: '' } },
          { error: { summary: 'the build failed', text: 'new words' } },
        ],
      },
    });
  });

  test('holds all that matters in its text', async () => {
    const reloads = [
      {
        event: 'reload',
        ok: true,
        generation: 1,
        trigger: { kind: 'first-start' },
        ms: { gather: 0, build: 0, start: 80, total: 80 },
        added: [],
        removed: [],
        changed: [],
        time: Date.now(),
      },
      {
        event: 'reload',
        ok: true,
        generation: 2,
        trigger: { kind: 'change', paths: ['/project/src/a.ts'] },
        ms: { gather: 9, build: 20, start: 100, total: 129 },
        added: ['tool add'],
        removed: ['tool old'],
        changed: ['tool echo inputSchema'],
        time: Date.now(),
      },
    ] as const;
    const stale = {
      reason: 'build_failed',
      summary: 'the build failed (exit code 2)',
      text: 'a.ts(1,1): error',
    } as const;
    const choice = { variant: 'debug', variables: ['SECRET'] };
    const { toolbox } = makeToolbox({ status: { state: 'stale', generation: 2, reloads, stale, choice } });
    const text = textOf(await toolbox.execute('mcp_dev_status', {}));
    expect(text).toMatch(/^weather is stale: /);
    expect(text).toContain('chosen: variant "debug", variables SECRET\n');
    expect(text).toMatch(
      /ago, src\/a\.ts: generation 2 \(.*all 129 ms\): \+tool add, -tool old, ~tool echo inputSchema\n/,
    );
    expect(text).toContain('the build failed (exit code 2):\na.ts(1,1): error');
  });
});
