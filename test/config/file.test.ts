import { describe, expect, test } from 'vitest';
import { tempProject } from '../kit/temp-project.ts';
import { complaintOf, dumpOf, hostOf, runOf } from './kit.ts';

const files = { 'package.json': '{}', 'server.ts': '', 'dist/server.js': '', 'src/a.ts': '', '.env': 'A=1' };

describe('where a configuration is found', () => {
  test.each([
    ['mcp-dev.config.json', '{ "hold": 3 }', 1],
    ['mcp-dev.config.jsonc', '// a\n{ "hold": 3, /* b */ }', 2],
    ['mcp-dev.config.json', '\uFEFF// a\n{ "hold": 3, }', 2],
    ['mcp-dev.config.yaml', '# a\nhold: 3\n', 2],
    ['mcp-dev.config.yml', '---\n\nhold: 3\n', 3],
    ['package.json', '{\n  "devDependencies": { "mcp-dev": "1" },\n  "mcp-dev": {\n    "hold": 3\n  }\n}', 4],
  ])('%s %j', async (file, text, line) => {
    const project = tempProject({ ...files, [file]: text });
    const dump = await dumpOf(['--dump', 'server.ts'], hostOf(project));
    expect(dump.get('hold')).toEqual([3, `${file}:${line}`]);
    expect(dump.get('config')).toEqual([project.path(file), 'default']);
  });

  test.each([
    ['mcp-dev.config.mjs', 'export default { hold: 3 }'],
    ['mcp-dev.config.mjs', 'export default async () => ({ hold: 3 })'],
    ['mcp-dev.config.js', 'module.exports = { hold: 3 }'],
  ])('%s %j', async (file, text) => {
    const project = tempProject({ ...files, [file]: text });
    const dump = await dumpOf(['--dump', 'server.ts'], hostOf(project));
    expect(dump.get('hold')).toEqual([3, file]);
  });

  test('upwards from the entry, the nearest counts', async () => {
    const project = tempProject({
      'mcp-dev.config.json': '{"hold":1}',
      'a/mcp-dev.config.yaml': 'hold: 2',
      'a/package.json': '{}',
      'a/b/dist/x.js': '',
      'c/package.json': '{"devDependencies":{"mcp-dev":"1"}}',
      'c/x.js': '',
    });
    const host = { ...hostOf(project), cwd: project.path('c') };
    expect(await runOf(['../a/b/dist/x.js'], host)).toMatchObject({ hold: 2 });
    expect(await runOf(['--', 'node', '../a/b/dist/x.js'], host)).toMatchObject({ hold: 2 });
    expect(await runOf(['x.js'], host)).toMatchObject({ hold: 1 });
    expect(await runOf(['--', 'npm', 'start'], host)).toMatchObject({ hold: 1 });
  });

  test('not above the home folder', async () => {
    const project = tempProject({
      'mcp-dev.config.json': '{"hold":1}',
      'home/p/package.json': '',
      'home/p/x.js': '',
    });
    const host = { ...hostOf(project), cwd: project.path('home/p') };
    expect(await runOf(['x.js'], { ...host, home: project.path('home') })).toMatchObject({
      configFile: undefined,
    });
    expect(await runOf(['x.js'], host)).toMatchObject({ configFile: project.path('mcp-dev.config.json') });
  });

  test('--config names another, its relative paths start at its folder', async () => {
    const project = tempProject({
      ...files,
      'mcp-dev.config.json': '{"hold":1}',
      'etc/x.json': '{"watch":"w"}',
      'etc/w': '',
    });
    const dump = await dumpOf(['--dump', '--config', 'etc/x.json', 'server.ts'], hostOf(project));
    expect(dump.get('watch')).toEqual([[project.path('etc/w')], 'etc/x.json:1']);
    expect(dump.get('hold')).toEqual([20_000, 'default']);
    expect(dump.get('config')).toEqual([project.path('etc/x.json'), 'flag']);
    expect(await complaintOf(['--config', 'package.json', 'server.ts'], hostOf(project))).toBe(
      'package.json: there is no "mcp-dev" in it',
    );
  });
});

describe('what it says', () => {
  test('every kind of value, and flags win key by key', async () => {
    const project = tempProject({
      ...files,
      'mcp-dev.config.jsonc': `{
        "$schema": "https://example.org/schema.json",
        "watch": ["src", "lib/**/*.sql"],
        "ignore": "*.log",
        "ext": "ts, .sql",
        "build": "make",
        "debounce": 0,
        "clear": false,
        "exclusive": "on",
        "envFile": ".env",
        "signal": "SIGINT",
        "terminal": true,
        "quiet": true,
        "color": true,
      }`,
    });
    expect(await runOf(['server.ts'], hostOf(project))).toMatchObject({
      watch: [project.path('src'), project.path('lib/**/*.sql')],
      ignore: ['*.log'],
      extensions: new Set(['ts', 'sql']),
      build: 'make',
      debounce: 0,
      clear: [],
      exclusive: 'on',
      exclusiveDrain: 10_000,
      envFiles: [project.path('.env')],
      env: { A: '1' },
      signal: 'SIGINT',
      terminal: true,
      verbosity: 'quiet',
      color: true,
      configFile: project.path('mcp-dev.config.jsonc'),
    });
    const argv = [
      '-w',
      'dist',
      '--clear',
      'x',
      '--exclusive',
      'off',
      '-v',
      '--build',
      '',
      '--no-color',
      'server.ts',
    ];
    expect(await runOf(argv, hostOf(project))).toMatchObject({
      watch: [project.path('dist')],
      ignore: ['*.log'],
      clear: ['x'],
      exclusive: 'off',
      drain: 60_000,
      verbosity: 'verbose',
      build: '',
      color: false,
    });
  });

  test('a command, which runs in the folder of the file', async () => {
    const project = tempProject({
      ...files,
      'mcp-dev.config.json': '{\n"command": ["node", "dist/server.js"],\n"args": ["--port", "3"]}',
    });
    const host = { ...hostOf(project), cwd: project.path('src') };
    const launch = { kind: 'command', command: 'node', args: ['dist/server.js', '--port', '3'] };
    const entry = project.path('dist/server.js');
    expect(await runOf([], host)).toMatchObject({ launch, entry, cwd: project.folder });
    expect(await runOf(['--cwd', '.'], host)).toMatchObject({
      launch,
      entry: project.path('src/dist/server.js'),
      cwd: project.path('src'),
    });
    const dump = await dumpOf(['--dump'], host);
    expect(dump.get('command')?.[1]).toBe(`${project.path('mcp-dev.config.json')}:2`);
  });

  test('an entry; what is typed replaces it together with its arguments', async () => {
    const project = tempProject({ ...files, 'mcp-dev.config.yaml': 'entry: dist/server.js\nargs: [a]' });
    const host = { ...hostOf(project), cwd: project.path('src') };
    const entry = project.path('dist/server.js');
    expect(await runOf([], host)).toMatchObject({ launch: { kind: 'entry', entry, args: ['a'] }, entry });
    expect(await runOf(['../server.ts'], host)).toMatchObject({
      launch: { kind: 'entry', entry: project.path('server.ts'), args: [] },
      cwd: project.path('src'),
    });
  });

  test('variants, whatever is started', async () => {
    const text =
      '{"hold": 3,\n"variants": {"debug": {"args": ["-d"], "env": {"A": "1"}}, "b": {"command": "./b"}}}';
    const project = tempProject({ ...files, 'mcp-dev.config.json': text });
    const variants = { debug: { args: ['-d'], env: { A: '1' } }, b: { command: './b' } };
    expect(await runOf(['server.ts'], hostOf(project))).toMatchObject({ variants });
    const dump = await dumpOf(['server.ts', '--dump'], hostOf(project));
    expect(dump.get('variants')).toEqual([variants, 'mcp-dev.config.json:2']);
  });

  test('no tools with --no-tools and with --transparent', async () => {
    const host = hostOf(tempProject(files));
    expect(await runOf(['server.ts'], host)).toMatchObject({ tools: true, allowCommands: false });
    expect(await runOf(['--no-tools', 'server.ts'], host)).toMatchObject({ tools: false });
    expect(await runOf(['--transparent', 'server.ts'], host)).toMatchObject({ tools: false });
  });

  test('a file that is empty or commented out says nothing', async () => {
    for (const [name, text] of [
      ['json', ''],
      ['yaml', '# hold: 3\n'],
    ] as const) {
      const project = tempProject({ ...files, [`mcp-dev.config.${name}`]: text });
      expect(await runOf(['server.ts'], hostOf(project))).toMatchObject({ hold: 20_000 });
    }
  });

  test('a package.json that is broken is of interest only if it mentions us', async () => {
    const project = tempProject({ ...files, 'package.json': '{\n"name": ' });
    expect(await runOf(['server.ts'], hostOf(project))).toMatchObject({ configFile: undefined });
    project.write('package.json', '{\n"mcp-dev": {},\n"name": ');
    expect(await complaintOf(['server.ts'], hostOf(project))).toMatch(/^package\.json:3: \w+ expected$/);
  });
});

describe('mistakes name the file, the line and the key', () => {
  const keys =
    'the keys are the flags of mcp-dev --help in camelCase, and "command", "args", "entry", "variants"';
  const command =
    'a list of strings, the program and its arguments each on its own, as in ["node", "dist/server.js"]';
  test.each<[string, string, string]>([
    ['json', '{\n\n"debounce": "fast"}', ':3: "debounce" must be a number of milliseconds (got "fast")'],
    [
      'json',
      '{"hold": -1}',
      ':1: "hold" must be a whole number of milliseconds from 0 to 2147483647 (got -1)',
    ],
    ['json', '{"watch": ["src",\n3]}', ':1: "watch" must be a string or a list of strings (got ["src",3])'],
    [
      'json',
      '{"clear": true}',
      ':1: "clear" must be a string or a list of strings, or false for none (got true)',
    ],
    ['json', '{"name": ""}', ':1: "name" must be a string that is not empty (got "")'],
    ['json', '{"exclusive": true}', ':1: "exclusive" must be "auto" or "on" or "off" (got true)'],
    [
      'json',
      '{"signal": "SIGFOO"}',
      ':1: "signal" must be the name of a signal such as "SIGTERM" (got "SIGFOO")',
    ],
    ['json', '{"terminal": "yes"}', ':1: "terminal" must be true or false (got "yes")'],
    ['json', '{\n"debunce": 3}', ':2: unknown key "debunce", did you mean "debounce"?'],
    ['json', '{\n"ready-timeout": 3}', ':2: unknown key "ready-timeout", did you mean "readyTimeout"?'],
    ['json', '{\n"noClear": true}', ':2: unknown key "noClear", write "clear": false'],
    ['json', '{\n"zzzz": 1}', `:2: unknown key "zzzz"; ${keys}`],
    ['json', '{"dump": true}', `:1: unknown key "dump"; ${keys}`],
    ['json', '{\n"hold": 3\n"drain": 4}', ':3: comma expected'],
    ['json', '{\n"hold": 3\n', ':3: close brace expected'],
    ['json', '[]', ':1: the configuration must be an object with keys (got [])'],
    ['json', '{\n"command": "node x.js"}', `:2: "command" must be ${command} (got "node x.js")`],
    ['json', '{"command": []}', `:1: "command" must be ${command} (got [])`],
    ['json', '{"command": [""]}', ':1: "command" must start with the name of a program (got "")'],
    ['json', '{"args": "x"}', ':1: "args" must be a list of strings (got "x")'],
    ['json', '{"args": ["x"]}', ':1: "args" needs "command" or "entry" beside it'],
    [
      'json',
      '{"variants": ["a"]}',
      ':1: "variants" must be an object of variants by name, as in { "debug": { "env": { "DEBUG": "1" } } } (got ["a"])',
    ],
    [
      'json',
      '{"variants": {\n"default": {}}}',
      ':2: "variants" cannot have "default": "default" stands for the server as configured',
    ],
    [
      'json',
      '{"variants": {\n"a": 3}}',
      ':2: "variants"."a" must be an object with "command", "args" or "env" (got 3)',
    ],
    [
      'json',
      '{"variants": {"a": {\n"args": "x"}}}',
      ':2: "variants"."a"."args" must be a list of strings (got "x")',
    ],
    [
      'json',
      '{"variants": {"a": {\n"env": {"B": 1}}}}',
      ':2: "variants"."a"."env" must be an object of strings (got 1)',
    ],
    [
      'json',
      '{"variants": {"a": {\n"arg": []}}}',
      ':2: unknown key "arg" in "variants"."a", did you mean "args"?',
    ],
    [
      'json',
      '{"variants": {"a": {\n"watch": []}}}',
      ':2: unknown key "watch" in "variants"."a"; its keys are "command", "args", "env"',
    ],
    [
      'json',
      '{"command": ["a"],\n"entry": "server.ts"}',
      ':2: "entry" and "command" exclude one another; keep one of them',
    ],
    ['json', '{\n"entry": "nope.ts"}', ':2: "entry" names <folder>/nope.ts, which does not exist'],
    [
      'json',
      '{\n"entry": "src.rb"}',
      ':2: "entry" names <folder>/src.rb, which mcp-dev can\'t start by itself (.ts .mts .cts .tsx .js .mjs .cjs .py); give the command that starts it',
    ],
    [
      'json',
      '{"entry": "server.ts",\n"watch": ["src", "nope"]}',
      ':2: "watch" names <folder>/nope, which does not exist',
    ],
    [
      'json',
      '{"entry": "server.ts",\n"quiet": true,\n"verbose": true}',
      ':2: "quiet" and "verbose" exclude one another; keep one of them',
    ],
    ['yaml', 'entry: server.ts\nhold: x', ':2: "hold" must be a number of milliseconds (got "x")'],
    ['yaml', 'entry: server.ts\nhodl: 3', ':2: unknown key "hodl", did you mean "hold"?'],
    ['yaml', 'entry: server.ts\nignore: *.log', ':2: "*.log" needs its quotes here'],
    ['yaml', 'entry: server.ts\next: *', ':2: "*" needs its quotes here'],
    ['yaml', 'hold: 3\nhold: 4', ':2: Map keys must be unique'],
    ['yaml', 'hold: 3\n  drain: 4', ':1: Nested mappings are not allowed in compact mappings'],
    ['mjs', 'export default { hold: "x" }', ': "hold" must be a number of milliseconds (got "x")'],
    [
      'mjs',
      'export default { watch: [() => 1] }',
      ': "watch" must be a string or a list of strings (got [null])',
    ],
    [
      'mjs',
      'export const hold = 3',
      ': the default export must be the configuration, or a function that returns it',
    ],
    ['mjs', 'throw new TypeError("boom\\nbang")', ': TypeError: boom'],
    ['mjs', 'export default () => { throw "boom" }', ': boom'],
  ])('%s %j', async (ending, text, message) => {
    const project = tempProject({ ...files, [`mcp-dev.config.${ending}`]: text });
    const complaint = await complaintOf([], hostOf(project));
    expect(complaint.replaceAll(project.folder, '<folder>')).toBe(`mcp-dev.config.${ending}${message}`);
  });

  test('in package.json too', async () => {
    const project = tempProject({
      'package.json': '{\n"name": "x",\n"mcp-dev": {\n"hold": "x"\n}}',
      'x.js': '',
    });
    expect(await complaintOf(['x.js'], hostOf(project))).toBe(
      'package.json:4: "hold" must be a number of milliseconds (got "x")',
    );
  });

  test('a configuration without a server says where to put it', async () => {
    const project = tempProject({ ...files, 'mcp-dev.config.json': '{"hold": 3}' });
    expect(await complaintOf([], hostOf(project))).toContain(
      `or as "command" in ${project.path('mcp-dev.config.json')}`,
    );
  });

  test('a folder in the place of a configuration file', async () => {
    const project = tempProject({ ...files, 'mcp-dev.config.json/x': '' });
    expect(await complaintOf(['server.ts'], hostOf(project))).toMatch(
      /^cannot read the configuration file .*EISDIR/,
    );
  });
});
