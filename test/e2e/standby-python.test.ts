import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { alive } from '../kit/processes.ts';
import { type TempProject, tempProject } from '../kit/temp-project.ts';
import { until } from '../kit/wait.ts';
import { type Files, Live } from './live.ts';
import { expectTurns, loads, noStandby, standbyOf, standbyUsed } from './standby-kit.ts';
import { earlyPackage, makeEnvironment, PYTHON, pythonText } from './standby-python-kit.ts';

const COMMAND = ['-v', '--', 'python3', 'server.py'];
const IN_ENVIRONMENT = ['-v', '--', '.venv/bin/python', 'server.py'];

interface Environment {
  readonly project: TempProject;
  /** The folder of the packages. */
  readonly packages: string;
}

/** A project with a Python environment that has these packages, each of which tells which processes load it. */
function withPackages(names: readonly string[], files: Files): Environment {
  const project = tempProject(files);
  const packages = makeEnvironment(project);
  for (const name of names) project.write(`${packages}/${name}.py`, earlyPackage(`${name}1`));
  return { project, packages };
}

/** The packages that a process had loaded, in order. */
function packagesOf(live: Live, pid: number): string[] {
  const path = live.project.path('early.txt');
  const lines = existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
  return lines.flatMap((line) => (line.endsWith(` ${pid}`) ? line.split(' ', 1) : []));
}

test('a process that waited becomes the next generation, and has run nothing of the server before', async () => {
  await expectTurns(await Live.connect(PYTHON, COMMAND), 'server.py', pythonText);
});

test('the file that mcp-dev runs in Python itself', async () => {
  const live = await Live.connect(PYTHON, ['-v', 'server.py']);
  const pid = await standbyOf(live);
  await live.reload(2, 'server.py', pythonText('two'));
  expect(standbyUsed(live, 2)).toBe(pid);
  expect(await live.call()).toBe('two');
});

test('a module by -m, with parts of its package', async () => {
  const files = {
    'weather/__init__.py': '',
    'weather/__main__.py': 'from . import server',
    'weather/server.py': pythonText('one').replace('from serve', 'from .serve'),
    'weather/serve.py': PYTHON['serve.py']!,
  };
  const live = await Live.connect(files, [
    '-w',
    '.',
    ...['-v', '--', 'python3', '-u', '-m', 'weather', '--flag'],
  ]);
  const pid = await standbyOf(live);
  await live.reload(2, 'weather/server.py', files['weather/server.py'].replace('"one"', '"two"'));
  expect(standbyUsed(live, 2)).toBe(pid);
  expect(await live.call()).toBe('two');
});

const LOOKING = `
import subprocess
import sys

FIRST = sorted(name for name in sys.modules if "mcp_dev" in name or "standby" in name or name == "sitecustomize")
LATER = ("MCP_DEV_GENERATION", "MCP_DEV_GENERATION_KEY", "MCP_DEV_SECRET", "MCP_DEV_STATE_DIR")


def look():
    import json
    import os
    import signal

    environment = {name: value for name, value in os.environ.items() if name not in LATER and "LIVE_" not in name}
    child = "import os, sys; print(sys.path, sorted(set(os.environ) - {'MCP_DEV_GENERATION_KEY'}), 'sitecustomize' in sys.modules)"
    return json.dumps({
        "argv": sys.argv,
        "orig_argv": sys.orig_argv,
        "flags": str(sys.flags),
        "options": [sys.warnoptions, sys._xoptions],
        "path": sys.path,
        "finders": [str(each).partition(" at ")[0] for each in sys.meta_path],
        "folders": sorted(each for each in sys.path_importer_cache if "standby" in each),
        "executable": [sys.executable, sys.prefix],
        "bytecode": sys.dont_write_bytecode,
        "cwd": os.getcwd(),
        "environment": list(environment.items()),
        "main": sorted(vars(sys.modules["__main__"])),
        "main file": [__file__, __name__, str(__spec__)],
        "modules": FIRST,
        "customized": getattr(sys.modules.get("sitecustomize"), "__file__", None),
        "signals": {int(each): str(signal.getsignal(each)) for each in signal.valid_signals()},
        "files": sorted(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else [],
        "streams": [str(each) for each in (sys.stdin, sys.stdout, sys.stderr)],
        "child": subprocess.run([sys.executable, "-c", child], capture_output=True, text=True).stdout,
    })

`;

test.each([
  { name: 'none of his own', own: {}, path: undefined },
  { name: 'a PYTHONPATH', own: { 'lib/helper.py': '' }, path: 'lib:other' },
  {
    name: 'a sitecustomize',
    own: { 'lib/sitecustomize.py': 'import sys\nsys.customized = True' },
    path: 'lib',
  },
])('the server and its processes see what they would see without, when the user has $name', async (given) => {
  const files = { ...PYTHON, ...given.own, 'server.py': pythonText('one', LOOKING, '"seen": look') };
  const args = [
    '-v',
    '--',
    'python3',
    '-u',
    '-X',
    'utf8',
    '-W',
    'ignore',
    'server.py',
    '--flag',
    'two words',
  ];
  const env = { PYTHONPATH: given.path, SECRET: 'a "b" \\c\n' };
  const plain = await Live.connect(files, ['--standby', 'off', ...args], { env });
  const seenBy = async (live: Live): Promise<unknown> => {
    const text = (await live.call('seen'))!.replaceAll(live.project.folder, '/project');
    return JSON.parse(text.replaceAll(/LIVE_\w+/g, 'LIVE'));
  };
  const expected = await seenBy(plain);
  const live = await Live.connect(files, args, { env });
  expect(await seenBy(live)).toEqual(expected);
  await standbyOf(live);
  await live.reload(2, 'server.py', `${files['server.py']}\n`);
  expect(standbyUsed(live, 2)).toBeDefined();
  expect(await seenBy(live)).toEqual(expected);
});

test("the user's own sitecustomize runs at its turn, as it is then, and nothing is loaded before it", async () => {
  const customize = (version: string): string => `
import os
import sys
os.environ["CUSTOMIZED"] = "${version} " + str("asyncio" in sys.modules)
with open("customized.txt", "a") as file:
    file.write(str(os.getpid()) + "\\n")
`;
  const files = { ...PYTHON, 'lib/sitecustomize.py': customize('one') };
  const live = await Live.connect(files, ['-w', 'server.py', ...COMMAND], { env: { PYTHONPATH: 'lib' } });
  expect(await live.call('variable', { name: 'CUSTOMIZED' })).toBe('one False');
  const pid = await standbyOf(live);
  live.project.write('lib/sitecustomize.py', customize('changed'));
  expect(readFileSync(live.project.path('customized.txt'), 'utf8')).not.toContain(String(pid));
  await live.reload(2, 'server.py', pythonText('two'));
  expect(standbyUsed(live, 2)).toBe(pid);
  expect(await live.call('variable', { name: 'CUSTOMIZED' })).toBe('changed False');
  expect(
    readFileSync(live.project.path('customized.txt'), 'utf8').match(new RegExp(`${pid}`, 'g')),
  ).toHaveLength(1);
});

test('safe: what the standard library and known packages have, and nothing else, is loaded early', async () => {
  const imports = 'import sys\nEARLY = "asyncio" in sys.modules\nimport mcp, other\nimport part';
  const text = (version: string): string => pythonText(version, imports, '"early": lambda: EARLY');
  const { project } = withPackages(['mcp', 'other', 'httpx', 'late'], {
    ...PYTHON,
    'server.py': text('one'),
    'part.py':
      'try:\n    import httpx\nexcept ImportError:\n    import other\ndef later():\n    import late\n',
  });
  const live = await Live.connectIn(project, IN_ENVIRONMENT);
  expect(await live.call('early')).toBe('False');
  const pid = await standbyOf(live);
  expect(packagesOf(live, pid)).toEqual(['mcp1', 'httpx1']);
  await live.reload(2, 'server.py', text('two'));
  expect(standbyUsed(live, 2)).toBe(pid);
  expect(packagesOf(live, pid)).toEqual(['mcp1', 'httpx1', 'other1']);
  expect(await live.call('early')).toBe('True');
});

test('deps: all packages that the program is certain to import are loaded early', async () => {
  const imports = 'from mcp import version\nimport other\nif not version:\n    import late';
  const files = { ...PYTHON, 'server.py': pythonText('one', imports) };
  const live = await Live.connectIn(withPackages(['mcp', 'other', 'late'], files).project, [
    '--standby',
    'deps',
    ...IN_ENVIRONMENT,
  ]);
  expect(packagesOf(live, await standbyOf(live))).toEqual(['mcp1', 'other1']);
});

test.each([
  ['ddtrace', 'import ddtrace\nimport mcp', 'instrumentation comes before all else'],
  ['late gevent', 'import mcp\ndef later():\n    import gevent', 'and may come late'],
  ['sys.path', 'import sys\nsys.path.insert(0, "vendor")\nimport mcp', 'other packages may be found'],
])('%s: no package is loaded early, as %s', async (_, imports) => {
  const files = { ...PYTHON, 'server.py': pythonText('one', imports) };
  const live = await Live.connectIn(withPackages(['mcp', 'ddtrace', 'gevent'], files).project, [
    '--standby',
    'deps',
    ...IN_ENVIRONMENT,
  ]);
  const pid = await standbyOf(live);
  expect(packagesOf(live, pid)).toEqual([]);
  await live.reload(2, 'server.py', pythonText('two', imports));
  expect(standbyUsed(live, 2)).toBe(pid);
  expect(packagesOf(live, pid)).toContain('mcp1');
});

test('a package that changed, or came, since it waits is the new one', async () => {
  const imports = 'import mcp';
  const tools = '"package": lambda: mcp.version';
  const { project, packages } = withPackages(['mcp'], {
    ...PYTHON,
    'server.py': pythonText('one', imports, tools),
  });
  const live = await Live.connectIn(project, IN_ENVIRONMENT);
  const pid = await standbyOf(live);
  project.write(`${packages}/mcp.py`, earlyPackage('mcp2'));
  await live.reload(2, 'server.py', pythonText('two', imports, tools));
  expect(standbyUsed(live, 2)).toBeUndefined();
  expect(await live.call('package')).toBe('mcp2');
  await until(() => !alive(pid), 'the standby with the old package is gone');
  await standbyOf(live);
  project.write(`${packages}/new.py`, earlyPackage('new1'));
  await live.reload(3, 'server.py', pythonText('three', 'import mcp, new', tools));
  expect(standbyUsed(live, 3)).toBeUndefined();
});

test.each(['pyproject.toml', 'uv.lock', '.python-version.local', '.env'])(
  'a standby from before %s changed',
  async (name) => {
    const live = await Live.connect({ ...PYTHON, [name]: '' }, ['-w', 'server.py', ...COMMAND]);
    const pid = await standbyOf(live);
    live.project.write(name, '# changed');
    live.project.write('server.py', pythonText('two'));
    await live.tookOver(2);
    // Only what says how a program and its packages are found.
    expect(standbyUsed(live, 2)).toBe(name === '.python-version.local' ? pid : undefined);
  },
);

test('modules of the project that were made, edited and made again while it waited are the new ones', async () => {
  const files = { ...PYTHON, 'a.py': 'A = 1', 'server.py': pythonText('one', 'from a import A') };
  const live = await Live.connect(files, ['-w', 'server.py', ...COMMAND]);
  const pid = await standbyOf(live);
  live.project.remove('a.py');
  live.project.write('a.py', 'A = 2');
  live.project.write('b.py', 'B = 3');
  const imports = 'from a import A\nfrom b import B';
  await live.reload(2, 'server.py', pythonText('two', imports, '"numbers": lambda: (A, B)'));
  expect(standbyUsed(live, 2)).toBe(pid);
  expect(await live.call('numbers')).toBe('(2, 3)');
});

test('a module of the project that takes the name of a loaded one while it waits is the one that counts', async () => {
  const imports = 'import colorsys\nimport sys';
  const tools = '"colours": lambda: colorsys.__file__, "words": lambda: sys.orig_argv';
  const files = { ...PYTHON, 'server.py': pythonText('one', imports, tools) };
  const live = await Live.connect(files, ['-w', 'server.py', ...COMMAND]);
  const pid = await standbyOf(live);
  const words = await live.call('words');
  live.project.write('colorsys.py', '');
  await live.reload(2, 'server.py', pythonText('two', imports, tools));
  expect(standbyUsed(live, 2)).toBe(pid);
  expect(await live.call('colours')).toBe(live.project.path('colorsys.py'));
  expect(await live.call('words')).toBe(words);
  expect(await live.call('variable', { name: 'MCP_DEV_GENERATION' })).toBe('2');
});

test('a project whose module takes the place of one that others need has no standby', async () => {
  const live = await Live.connect({ ...PYTHON, 'heapq.py': 'from _heapq import *' }, COMMAND);
  expect(await noStandby(live)).toContain('the project has a module with the name of another: heapq');
  await live.reload(2, 'server.py', pythonText('two'));
  expect(await live.call()).toBe('two');
});

test('what the project has on PYTHONPATH is not loaded early', async () => {
  const imports = 'import helper';
  const files = {
    ...PYTHON,
    'src/helper/__init__.py': 'from .part import TEXT',
    'src/helper/part.py': `import os\nTEXT = "one"\nwith open("early.txt", "a") as file:\n    file.write("helper %d\\n" % os.getpid())\n`,
    'server.py': pythonText('one', imports, '"helper": lambda: helper.TEXT'),
  };
  const args = ['--standby', 'deps', ...COMMAND];
  const live = await Live.connect(files, args, { env: { PYTHONPATH: 'src' } });
  const pid = await standbyOf(live);
  expect(packagesOf(live, pid)).toEqual([]);
  await live.reload(2, 'src/helper/part.py', files['src/helper/part.py'].replace('"one"', '"two"'));
  expect(standbyUsed(live, 2)).toBe(pid);
  expect(await live.call('helper')).toBe('two');
});

test('a standby writes no compiled files', async () => {
  const files = { ...PYTHON, 'server.py': pythonText('one', 'import mcp') };
  const { project, packages } = withPackages(['mcp'], files);
  const live = await Live.connectIn(project, IN_ENVIRONMENT, { env: { PYTHONDONTWRITEBYTECODE: '' } });
  const caches = (): string[] =>
    readdirSync(project.folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.pyc'),
    );
  expect(caches()).not.toEqual([]);
  await standbyOf(live);
  await live.reload(2, 'server.py', pythonText('two', 'import mcp'));
  project.remove(`${packages}/__pycache__`);
  const pid = await standbyOf(live);
  expect(packagesOf(live, pid)).toEqual(['mcp1']);
  expect(caches().filter((name) => name.includes('mcp'))).toEqual([]);
});

test('variables of an env file are those of the newest one', async () => {
  const live = await Live.connect({ ...PYTHON, 'my.env': 'COLOUR=red' }, [
    '--env-file',
    'my.env',
    ...COMMAND,
  ]);
  await standbyOf(live);
  await live.reload(2, 'my.env', 'COLOUR=blue');
  expect(standbyUsed(live, 2)).toBeUndefined();
  expect(await live.call('variable', { name: 'COLOUR' })).toBe('blue');
  await standbyOf(live);
  await live.reload(3, 'server.py', pythonText('three'));
  expect(standbyUsed(live, 3)).toBeDefined();
  expect(await live.call('variable', { name: 'COLOUR' })).toBe('blue');
});

test.each(['client closes', 'killed'])('the standby ends with mcp-dev: %s', async (how) => {
  const live = await Live.connect(PYTHON, COMMAND);
  const pid = await standbyOf(live);
  if (how === 'killed') live.client.kill('SIGKILL');
  else await live.client.close();
  await until(() => !alive(pid), 'the standby has ended');
  await until(() => live.processes.length === 0, 'all processes have ended');
});

test('a Python that takes no notice has no standby, and the status line says which word does it', async () => {
  const files = {
    ...PYTHON,
    'server.py': pythonText('one', 'import os, sys\nsys.path.insert(0, os.getcwd())'),
  };
  const live = await Live.connect(files, ['-v', '--', 'python3', '-I', 'server.py']);
  expect(await noStandby(live)).toContain('Python takes no notice of what it is given because of -I');
  await live.reload(2, 'server.py', `${files['server.py']}\n`);
  expect(loads(live)).toHaveLength(2);
});

test('a command that hides what Python was given has no standby', async () => {
  const project = tempProject({
    ...PYTHON,
    'bin/python3': '#!/bin/sh\nunset PYTHONPATH\nexec "$REAL_PYTHON" "$@"\n',
  });
  chmodSync(project.path('bin/python3'), 0o755);
  const live = await Live.connectIn(project, ['-v', '--', './bin/python3', 'server.py'], {
    env: { REAL_PYTHON: 'python3' },
  });
  expect(await noStandby(live)).toContain('the server did not load what it was given');
  await live.reload(2, 'server.py', pythonText('two'));
  expect(loads(live)).toHaveLength(2);
});

test('a save that does not start, by a standby: the old generation goes on, and it heals', async () => {
  const live = await Live.connect(PYTHON, COMMAND);
  const pid = await standbyOf(live);
  live.project.write('server.py', pythonText('two', 'raise Exception("no key")'));
  await live.client.stderrLine(/generation 2 ended before it had answered the handshake \(exit code 1\)/);
  expect(standbyUsed(live, 2)).toBe(pid);
  await live.client.stderrLine(/^Exception: no key/);
  expect(await live.call()).toBe('one');
  await live.reload(3, 'server.py', pythonText('three'));
  expect(await live.call()).toBe('three');
});

test('a package that ends the process when it is loaded leaves the server alone', async () => {
  const { project, packages } = withPackages([], {
    ...PYTHON,
    'server.py': pythonText('one', 'try:\n    import mcp\nexcept SystemExit:\n    pass'),
  });
  project.write(`${packages}/mcp.py`, 'raise SystemExit("not today")');
  const live = await Live.connectIn(project, IN_ENVIRONMENT);
  expect(await noStandby(live)).toContain('not today');
  await live.reload(2, 'server.py', pythonText('two'));
  expect(await live.call()).toBe('two');
});

test('what Python is told to run by -m may be instrumentation itself', async () => {
  const { project, packages } = withPackages([], PYTHON);
  project.write(
    `${packages}/gevent.py`,
    `import os, sys
os.environ["EARLY"] = str("asyncio" in sys.modules)
import asyncio, runpy
runpy.run_path(sys.argv[1], run_name="__main__")
`,
  );
  project.write('pyproject.toml', '');
  const live = await Live.connectIn(project, [
    '-v',
    '-w',
    '.',
    '--',
    '.venv/bin/python',
    '-m',
    'gevent',
    'server.py',
  ]);
  const pid = await standbyOf(live);
  await live.reload(2, 'server.py', pythonText('two'));
  expect(standbyUsed(live, 2)).toBe(pid);
  expect(await live.call('variable', { name: 'EARLY' })).toBe('False');
});

test('an older Python has no standby', async () => {
  const { project, packages } = withPackages([], PYTHON);
  project.write(`${packages}/older.pth`, 'import sys; sys.version_info = (3, 9, 18, "final", 0)');
  const live = await Live.connectIn(project, IN_ENVIRONMENT);
  expect(await noStandby(live)).toContain('Python is older than 3.10');
  await live.reload(2, 'server.py', pythonText('two'));
  expect(loads(live)).toHaveLength(2);
  expect(await live.call('variable', { name: 'PYTHONPATH' })).toBe('None');
});

test('a Python that is replaced by one that does not tell is not trusted any more', async () => {
  const real = '#!/bin/sh\nexec python3 "$@"\n';
  const project = tempProject({ ...PYTHON, 'bin/python3': real });
  chmodSync(project.path('bin/python3'), 0o755);
  const live = await Live.connectIn(project, ['-v', '--', './bin/python3', 'server.py']);
  await standbyOf(live);
  project.write('bin/python3', real.replace('exec', 'unset PYTHONPATH\nexec'));
  // The environment is another one, so that the standby from before is not used.
  live.project.write('.env', '# changed');
  await live.tookOver(2);
  expect(standbyUsed(live, 2)).toBeUndefined();
  expect(await noStandby(live)).toContain('the server did not load what it was given');
  expect(loads(live)).toHaveLength(2);
});

test.each(['server.py', 'part.py'])(
  'instrumentation that a save brings into %s still comes first',
  async (name) => {
    const { project, packages } = withPackages(['mcp'], {
      ...PYTHON,
      'server.py': pythonText('one', 'import part\nimport mcp'),
      'part.py': '',
    });
    project.write(
      `${packages}/ddtrace.py`,
      'import os, sys\nos.environ["EARLY"] = str("mcp" in sys.modules)',
    );
    const live = await Live.connectIn(project, IN_ENVIRONMENT);
    const pid = await standbyOf(live);
    expect(packagesOf(live, pid)).toEqual(['mcp1']);
    const saved = {
      'server.py': pythonText('two', 'import ddtrace\nimport mcp'),
      'part.py': 'import ddtrace',
    };
    await live.reload(2, name, saved[name as keyof typeof saved]);
    expect(await live.call('variable', { name: 'EARLY' })).toBe('False');
    expect(await live.call('variable', { name: 'MCP_DEV_GENERATION' })).toBe('2');
  },
);
