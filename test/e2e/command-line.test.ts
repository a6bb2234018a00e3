import { chmodSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { repositoryFile } from '../kit/messages.ts';
import { RawClient } from '../kit/raw-client.ts';
import { tempProject } from '../kit/temp-project.ts';
import { type Files, Live, PLAIN_JS, PLAIN_TS, plainText, toolsText } from './live.ts';
import { MCP_DEV, run, runMcpDev } from './run.ts';

const CONFIG = 'mcp-dev.config.json';

describe('wrong input: exit code 2, one sentence on stderr that names it, nothing on stdout', () => {
  test.each<{ args: readonly string[]; says: string | RegExp; files?: Files }>([
    { args: [], says: 'no server to start: name its command after "--"' },
    { args: ['--'], says: 'the command of the server is missing after "--"' },
    { args: ['--verbose'], says: 'no server to start' },
    { args: ['node', 'server.mjs'], says: 'put "--" before the command: mcp-dev -- node server.mjs' },
    { args: ['--wacth', 'src', '--', 'node', 'x.js'], says: 'unknown option --wacth, did you mean --watch?' },
    { args: ['-x', 'server.mjs'], says: 'unknown option -x' },
    { args: ['server.mjs', '--port', '1'], says: 'mcp-dev server.mjs -- --port 1' },
    { args: ['nothing.ts'], says: /\/nothing\.ts does not exist/ },
    { args: ['server.rb'], says: 'server.rb is no file that mcp-dev can start by itself' },
    { args: ['--watch', 'nowhere', 'server.mjs'], says: /--watch names \S+\/nowhere, which does not exist/ },
    { args: ['--cwd', 'nowhere', 'server.mjs'], says: /--cwd names \S+\/nowhere, which does not exist/ },
    { args: ['--cwd', 'server.mjs', 'server.mjs'], says: /--cwd names \S+\/server\.mjs, which is no folder/ },
    { args: ['--log-file', 'no/x.log', 'server.mjs'], says: /--log-file names \S+, but there is no folder/ },
    {
      args: ['--debounce', 'fast', 'server.mjs'],
      says: '--debounce must be a number of milliseconds (got "fast")',
    },
    { args: ['server.mjs', '--hold'], says: '--hold needs a value' },
    { args: ['--signal', 'SIGNOT', 'server.mjs'], says: '--signal must be the name of a signal' },
    { args: ['--exclusive=maybe', 'server.mjs'], says: '--exclusive must be "auto" or "on" or "off"' },
    { args: ['--quiet', '-v', 'server.mjs'], says: '--quiet and --verbose exclude one another' },
    { args: ['demo', 'now'], says: 'unexpected "now"' },
    {
      args: ['--config', 'no.json', 'server.mjs'],
      says: /--config names \S+\/no\.json, which does not exist/,
    },
    {
      args: ['server.mjs'],
      files: { [CONFIG]: '{\n  "name": "x",\n  "debounze": 3\n}\n' },
      says: `${CONFIG}:3: unknown key "debounze", did you mean "debounce"?`,
    },
    {
      args: ['server.mjs'],
      files: { [CONFIG]: '{\n  "debounce": "fast"\n}\n' },
      says: `${CONFIG}:2: "debounce" must be a number of milliseconds (got "fast")`,
    },
    { args: ['server.mjs'], files: { [CONFIG]: '{\n  "watch": [\n}\n' }, says: `${CONFIG}:3: ` },
    {
      args: ['server.mjs'],
      files: { [CONFIG]: '{ "envFile": "no.env" }' },
      says: /:1: "envFile" names \S+\/no\.env, which does not exist/,
    },
    { args: [], files: { [CONFIG]: '{ "entry": "no.py" }' }, says: /:1: "entry" names \S+\/no\.py/ },
    {
      args: ['server.mjs'],
      files: { 'mcp-dev.config.yaml': 'name: x\nhold:\n  - 1\n' },
      says: 'mcp-dev.config.yaml:2: "hold" must be a number of milliseconds',
    },
    {
      args: ['server.mjs'],
      files: { 'package.json': '{\n  "name": "x",\n  "mcp-dev": {\n    "clera": false\n  }\n}\n' },
      says: 'package.json:4: unknown key "clera", did you mean "clear"?',
    },
    {
      args: ['server.mjs'],
      files: { 'mcp-dev.config.mjs': 'console.log(1);\nexport default { hold: true };\n' },
      says: /(^|\n)mcp-dev: mcp-dev\.config\.mjs: "hold" must be a number/,
    },
  ])('mcp-dev $args: $says', async ({ args, says, files = {} }) => {
    const project = tempProject({ ...PLAIN_JS, 'server.rb': '', ...files });
    const { code, stdout, stderr } = await runMcpDev(args, { cwd: project.folder });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    if (typeof says === 'string') expect(stderr).toContain(says);
    else expect(stderr).toMatch(says);
    // What a configuration that is a program prints is not ours.
    const own = stderr.split('\n').filter((line) => line !== '1');
    expect(own).toEqual([expect.stringMatching(/^mcp-dev: ./), '']);
  });

  test('stdin that ends before any message: --terminal is named', async () => {
    const project = tempProject(PLAIN_JS);
    const { code, stdout, stderr } = await runMcpDev(['server.mjs'], { cwd: project.folder });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^mcp-dev stdin was closed before any message came: .*--terminal\n$/);
  });

  test('a program that belongs to no project: --watch is asked for', async () => {
    const project = tempProject({ 'home/server.mjs': '' });
    const { code, stdout, stderr } = await runMcpDev(['server.mjs'], {
      cwd: project.path('home'),
      env: { HOME: project.path('home') },
    });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^mcp-dev: there is no package\.json.*say what to watch with --watch\n$/);
  });

  test('a folder that is not there any more', async () => {
    const { folder } = tempProject();
    const gone = [
      '-c',
      'mkdir gone; cd gone; rmdir ../gone; exec "$0" "$1" server.ts',
      process.execPath,
      MCP_DEV,
    ];
    const { code, stdout, stderr } = await run('sh', gone, { cwd: folder });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe('mcp-dev: the folder that it was started in does not exist any more\n');
  });

  test('mcp-dev that starts itself', async () => {
    const itself = [process.execPath, MCP_DEV, '--', 'node', 'server.mjs'];
    const live = Live.start(PLAIN_JS, ['--', ...itself]);
    const { instructions } = await live.client.initialize();
    expect(instructions).toMatch(/this is mcp-dev started by mcp-dev/);
  });
});

describe('what is wrong while a session runs does not end it', () => {
  test('a command that is not there: the client is answered, and it heals when it is', async () => {
    const live = Live.start(PLAIN_JS, ['--', './bin/serve']);
    const { instructions } = await live.client.initialize();
    expect(instructions).toContain('command not found: ./bin/serve');
    expect(await live.tools()).toEqual([]);
    chmodSync(live.project.write('bin/serve', '#!/bin/sh\nexec node server.mjs\n'), 0o755);
    live.project.write('src/saved.js', '');
    await live.client.next('notifications/tools/list_changed');
    expect(await live.call()).toBe('one');
  });

  test('a build that cannot start: the client is answered, and it heals when it can', async () => {
    const live = Live.start(PLAIN_JS, ['--build', './compile', '--', 'node', 'server.mjs']);
    const { instructions } = await live.client.initialize();
    expect(instructions).toMatch(/the build failed \(exit code 127\)[\s\S]*not found/);
    chmodSync(live.project.write('compile', '#!/bin/sh\n'), 0o755);
    live.project.write('src/saved.js', '');
    await live.client.next('notifications/tools/list_changed');
    expect(await live.call()).toBe('one');
  });

  test('an env file that goes away: what it said last stays, and it is named', async () => {
    const live = await Live.connect(
      {
        ...PLAIN_JS,
        'x.variables': 'PLAIN_X=1\n',
        'server.mjs': plainText('').replace(`''`, 'process.env.PLAIN_X'),
      },
      ['--env-file', 'x.variables', 'server.mjs'],
    );
    expect(await live.call()).toBe('1');
    await live.reload(2, 'x.variables', 'PLAIN_X=2\n');
    live.project.remove('x.variables');
    await live.client.stderrLine(/^mcp-dev cannot read the env file \S+x\.variables \(ENOENT\)/);
    await live.tookOver(3);
    expect(await live.call()).toBe('2');
    await live.reload(4, 'x.variables', 'PLAIN_X=3\n');
    expect(await live.call()).toBe('3');
  });
});

test('a user without an account and without HOME has no home folder, and a server all the same', async () => {
  // What node answers for such a user; to become one takes root.
  const homeless =
    "require('node:os').homedir = () => { throw Object.assign(new Error('no home'), { code: 'ERR_SYSTEM_ERROR' }); };";
  const project = tempProject({ ...PLAIN_JS, 'homeless.cjs': homeless });
  const client = RawClient.start(
    [process.execPath, '--require', project.path('homeless.cjs'), MCP_DEV, 'server.mjs'],
    { cwd: project.folder, env: { HOME: undefined, XDG_CACHE_HOME: undefined } },
  );
  expect(await client.initialize()).toHaveProperty('serverInfo');
});

test('what comes after -- is the command, untouched', async () => {
  const words = ['--watch', 'x', '--', '-v', '--help', '', 'a b', '$HOME', '*'];
  const server = plainText('').replace(`''`, 'JSON.stringify(process.argv.slice(2))');
  const live = await Live.connect({ ...PLAIN_JS, 'server.mjs': server }, [
    '--',
    'node',
    'server.mjs',
    ...words,
  ]);
  expect(JSON.parse((await live.call()) ?? '')).toEqual(words);
});

describe('what is printed on demand goes to stdout, exit code 0', () => {
  const { version } = JSON.parse(readFileSync(repositoryFile('package.json'), 'utf8')) as { version: string };

  test.each([['--version'], ['-V'], ['--hold', '1', '--version']])('%s', async (...args) => {
    expect(await runMcpDev(args)).toEqual({ code: 0, signal: null, stdout: `${version}\n`, stderr: '' });
  });

  test.each([['--help'], ['-h'], ['demo', '--help']])('%s', async (...args) => {
    const { code, stdout, stderr } = await runMcpDev(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('-w, --watch <path or glob>');
  });

  test('also when its reader has gone', async () => {
    const closed = [
      '-c',
      'exec 3> >(true); wait $!; "$0" "$1" --help >&3; echo $?',
      process.execPath,
      MCP_DEV,
    ];
    expect(await run('bash', closed)).toEqual({ code: 0, signal: null, stdout: '0\n', stderr: '' });
  });

  test('--dump: each value and where it came from', async () => {
    const project = tempProject({
      ...PLAIN_JS,
      [CONFIG]: '{\n  "hold": 100,\n  "watch": "src",\n  "command": ["node", "server.mjs"]\n}\n',
      'src/a.js': '',
    });
    const { code, stdout, stderr } = await runMcpDev(['--dump', '--hold', '5'], { cwd: project.folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const rows = Object.fromEntries(
      stdout
        .trimEnd()
        .split('\n')
        .map((row) => row.split(/ {2,}/).slice(0, 3))
        .map(([key, ...rest]) => [key, rest]),
    );
    expect(rows).toMatchObject({
      command: ['["node","server.mjs"]', `${CONFIG}:4`],
      hold: ['5', 'flag'],
      watch: [JSON.stringify([project.path('src')]), `${CONFIG}:3`],
      drain: ['60000', 'default'],
      name: ['"plain"', 'package.json'],
    });
  });
});

describe('a configuration file', () => {
  const command = ['node', 'server.mjs'];

  test.each([
    { name: CONFIG, text: JSON.stringify({ command, debounce: 5 }) },
    { name: 'mcp-dev.config.jsonc', text: `{ "command": ["node", "server.mjs"], /* why */ "debounce": 5, }` },
    { name: 'mcp-dev.config.yaml', text: 'command: [node, server.mjs]\n# why\ndebounce: 5\n' },
    {
      name: 'mcp-dev.config.mjs',
      text: `export default () => ({ command: ['node', 'server.mjs'], debounce: 5 });`,
    },
    { name: 'package.json', text: JSON.stringify({ name: 'plain', 'mcp-dev': { command, debounce: 5 } }) },
  ])('$name: mcp-dev alone starts its server', async ({ name, text }) => {
    const live = await Live.connect({ ...PLAIN_JS, [name]: text }, []);
    await live.reload(2, 'server.mjs', plainText('two'));
    expect(await live.call()).toBe('two');
  });

  test('its relative paths start at its folder, also when it is named from elsewhere', async () => {
    const project = tempProject({ 'elsewhere/x': '' });
    for (const [name, text] of Object.entries(PLAIN_TS)) project.write(`home/${name}`, text);
    project.write('home/notes.txt', '1');
    project.write(`home/${CONFIG}`, '{ "entry": "server.ts", "watch": "notes.txt", "name": "named" }');
    const live = await Live.connectIn(project, ['--config', `../home/${CONFIG}`], { cwd: 'elsewhere' });
    project.write('home/notes.txt', '2');
    await live.tookOver(2);
    project.write('home/tools.ts', toolsText('two'));
    await live.tookOver(3);
    expect(await live.call()).toBe('two');
    expect(live.triggers).toEqual(['notes.txt', 'tools.ts']);
  });

  test('flags win over it', async () => {
    const files = { ...PLAIN_JS, [CONFIG]: '{ "command": ["node", "nothing.mjs"], "ext": "txt" }' };
    const live = await Live.connect(files, ['--ext', 'ini', '--', 'node', 'server.mjs']);
    live.project.write('a.txt', '1');
    await live.reload(2, 'a.ini', '1');
  });
});
