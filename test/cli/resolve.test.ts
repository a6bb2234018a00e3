import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { resolve } from '../../src/cli/resolve.ts';
import { complaintOf, dumpOf, hostOf, runOf } from '../config/kit.ts';
import { tempProject } from '../kit/temp-project.ts';

const files = { 'package.json': '{"name":"weather"}', 'server.ts': '', 'dist/server.js': '', 'src/a.ts': '' };

describe('defaults', () => {
  test('a command', async () => {
    const project = tempProject(files);
    const host = hostOf(project, { env: { A: '1' } });
    const { extensions, ...config } = await runOf(['--', 'node', 'dist/server.js', '--port', '3'], host);
    expect(config).toEqual({
      cwd: project.folder,
      buildCwd: project.folder,
      name: 'weather',
      launch: { kind: 'command', command: 'node', args: ['dist/server.js', '--port', '3'] },
      entry: project.path('dist/server.js'),
      root: project.folder,
      watch: [],
      watches: true,
      ignore: [],
      build: undefined,
      debounce: undefined,
      clear: ['**/__pycache__'],
      events: undefined,
      exclusive: 'auto',
      standby: 'safe',
      hold: 20_000,
      drain: 60_000,
      exclusiveDrain: 10_000,
      record: undefined,
      redact: [],
      replay: 'safe',
      stale: 'notice',
      transparent: false,
      tools: true,
      allowCommands: false,
      variants: {},
      readyTimeout: 30_000,
      signal: 'SIGTERM',
      killTimeout: 5_000,
      poll: undefined,
      envFiles: [],
      env: { A: '1' },
      terminal: false,
      configFile: undefined,
      logFile: undefined,
      verbosity: 'normal',
      color: false,
    });
    expect(extensions).toContain('ts');
    expect(extensions).not.toContain('.ts');
  });

  test('an entry', async () => {
    const project = tempProject(files);
    const config = await runOf(['server.ts', '--', '--port', '3'], hostOf(project));
    const entry = project.path('server.ts');
    expect(config).toMatchObject({ entry, launch: { kind: 'entry', entry, args: ['--port', '3'] } });
  });

  test('a drain that others wait for is short, unless a time is given', async () => {
    const host = hostOf(tempProject(files));
    expect(await runOf(['server.ts'], host)).toMatchObject({ drain: 60_000, exclusiveDrain: 10_000 });
    expect(await runOf(['server.ts', '--drain', '7'], host)).toMatchObject({ drain: 7, exclusiveDrain: 7 });
  });

  test('a program with a debugger runs alone, and has all the time in the world', async () => {
    const host = hostOf(tempProject(files));
    const alone = {
      exclusive: 'on',
      readyTimeout: Number.POSITIVE_INFINITY,
      drain: Number.POSITIVE_INFINITY,
    };
    expect(await runOf(['--', 'node', '--inspect-brk=9229', 'x.js'], host)).toMatchObject(alone);
    expect(await runOf(['--', 'python3', '-m', 'debugpy', '--listen', '5678', 'x.py'], host)).toMatchObject(
      alone,
    );
    const inherited = { ...host, env: { NODE_OPTIONS: '--no-warnings --inspect' } };
    expect(await runOf(['server.ts'], inherited)).toMatchObject(alone);
    expect(await runOf(['--', 'node', 'x.js', 'inspect'], host)).toMatchObject({ exclusive: 'auto' });
  });
});

describe('flags', () => {
  test('relative paths start where --cwd leads, and --cwd at the folder of the process', async () => {
    const project = tempProject({ ...files, 'sub/x.js': '', 'sub/src/a.ts': '', 'sub/.env': 'A=1' });
    const argv = [
      '--cwd',
      'sub',
      '-w',
      'src',
      '-w',
      'lib/**/*.sql',
      '--env-file',
      '.env',
      '--log-file',
      'log',
      'x.js',
    ];
    expect(await runOf(argv, hostOf(project))).toMatchObject({
      cwd: project.path('sub'),
      entry: project.path('sub/x.js'),
      watch: [project.path('sub/src'), project.path('sub/lib/**/*.sql')],
      envFiles: [project.path('sub/.env')],
      logFile: project.path('sub/log'),
      env: { A: '1' },
      root: project.folder,
    });
  });

  test('a glob keeps its meaning below a folder with special characters', async () => {
    const project = tempProject({ 'a(b)/package.json': '{}', 'a(b)/x.js': '', 'a(b)/[id].ts': '' });
    const host = { ...hostOf(project), cwd: project.path('a(b)') };
    const config = await runOf(['-w', '**/*.ts', '-w', '[id].ts', 'x.js'], host);
    expect(config.watch).toEqual([join(project.folder, 'a\\(b\\)', '**/*.ts'), project.path('a(b)/[id].ts')]);
  });

  test.each<[string[], object]>([
    [['-v'], { verbosity: 'verbose' }],
    [['-q'], { verbosity: 'quiet' }],
    [['-e', '*'], { extensions: 'all' }],
    [['-e', '.ts,sql'], { extensions: new Set(['ts', 'sql']) }],
    [['--no-clear'], { clear: [] }],
    [['--poll'], { poll: 500 }],
    [['--build', ''], { build: '' }],
    [['--terminal'], { terminal: true }],
    [['--name', 'x'], { name: 'x' }],
    [['--ignore', 'a', '-i', 'b'], { ignore: ['a', 'b'] }],
  ])('%j', async (argv, config) => {
    expect(await runOf([...argv, 'server.ts'], hostOf(tempProject(files)))).toMatchObject(config);
  });
});

describe('colours', () => {
  test.each<[string[], NodeJS.ProcessEnv, boolean, boolean]>([
    [[], {}, true, true],
    [[], {}, false, false],
    [[], { NO_COLOR: '1' }, true, false],
    [[], { NO_COLOR: '' }, true, true],
    [[], { NO_COLOR: '1', FORCE_COLOR: '1' }, true, false],
    [[], { FORCE_COLOR: '1' }, false, true],
    [[], { FORCE_COLOR: '0' }, true, false],
    [[], { TERM: 'dumb' }, true, false],
    [['--no-color'], { FORCE_COLOR: '1' }, true, false],
  ])('%j %j on a terminal: %j → %j', async (argv, env, stderrIsTTY, color) => {
    const host = hostOf(tempProject(files), { env, stderrIsTTY });
    expect(await runOf([...argv, 'server.ts'], host)).toMatchObject({ color });
    expect(await resolve(['demo', ...argv], host)).toEqual({ kind: 'demo', color });
  });
});

describe('wrong input', () => {
  test.each<[string[], string]>([
    [
      [],
      'no server to start: name its command after "--" (mcp-dev -- node dist/server.js) or its file (mcp-dev server.ts); mcp-dev --help shows more',
    ],
    [['--'], 'the command of the server is missing after "--", as in: mcp-dev -- node dist/server.js'],
    [['--', ''], 'the command of the server is missing after "--", as in: mcp-dev -- node dist/server.js'],
    [['nope.ts'], '<folder>/nope.ts does not exist'],
    [['src.js'], '<folder>/src.js is a folder, not the file of a server'],
    [['--watch', 'nope', 'server.ts'], '--watch names <folder>/nope, which does not exist'],
    [['--watch', '!src/**', 'server.ts'], '--watch names !src/**, which only --ignore can leave out'],
    [['--cwd', 'nope', 'server.ts'], '--cwd names <folder>/nope, which does not exist'],
    [['--cwd', 'server.ts', 'server.ts'], '--cwd names <folder>/server.ts, which is no folder'],
    [['--env-file', 'nope', 'server.ts'], '--env-file names <folder>/nope, which does not exist'],
    [['--env-file', 'src', 'server.ts'], '--env-file names <folder>/src, which is a folder'],
    [
      ['--log-file', 'nope/log', 'server.ts'],
      '--log-file names <folder>/nope/log, but there is no folder <folder>/nope',
    ],
    [['--log-file', 'src', 'server.ts'], '--log-file names <folder>/src, which is a folder'],
    [
      ['--record', 'one', '--events', './one', 'server.ts'],
      '--events and --record name the same file, <folder>/one; each needs one of its own',
    ],
    [['--config', 'nope.json', 'server.ts'], '--config names <folder>/nope.json, which does not exist'],
    [
      ['--config', 'server.ts', 'server.ts'],
      '--config names <folder>/server.ts, but a configuration file ends in .json .jsonc .yaml .yml .js .mjs',
    ],
    [['-qv', 'server.ts'], '--quiet and --verbose exclude one another; keep one of them'],
  ])('%j', async (argv, message) => {
    const project = tempProject({ ...files, 'src.js/a.js': '' });
    const complaint = await complaintOf(argv, hostOf(project));
    expect(complaint.replaceAll(project.folder, '<folder>')).toBe(message);
  });
});

describe('--dump', () => {
  test('shows each value and where it came from', async () => {
    const project = tempProject(files);
    const host = hostOf(project, { env: { NO_COLOR: '1' } });
    const dump = await dumpOf(['--dump', '-w', 'src', '--poll', '--', 'node', 'dist/server.js'], host);
    expect(dump.get('command')).toEqual([['node', 'dist/server.js'], 'flag']);
    expect(dump.get('root')).toEqual([project.folder, 'default']);
    expect(dump.get('watch')).toEqual([[project.path('src')], 'flag']);
    expect(dump.get('poll')).toEqual([500, 'flag']);
    expect(dump.get('build')).toEqual([null, 'default']);
    expect(dump.get('hold')).toEqual([20_000, 'default']);
    expect(dump.get('cwd')).toEqual([project.folder, 'default']);
    expect(dump.get('name')).toEqual(['weather', 'package.json']);
    expect(dump.get('color')).toEqual([false, 'NO_COLOR']);
    expect(dump.get('config')).toEqual([null, 'default']);
    expect([...dump.keys()]).not.toContain('help');
  });

  test('columns are aligned', async () => {
    const resolved = await resolve(['--dump', 'server.ts'], hostOf(tempProject(files)));
    if (resolved.kind !== 'dump') throw new Error(resolved.kind);
    const lines = resolved.text.split('\n').filter((line) => line.length < 120);
    expect(new Set(lines.filter((line) => line.endsWith('  default')).map((line) => line.length)).size).toBe(
      1,
    );
  });

  test('a mistake is still a mistake', async () => {
    const host = hostOf(tempProject(files));
    expect(await complaintOf(['--dump', '--watch', 'nope', 'server.ts'], host)).toContain('nope');
  });
});
