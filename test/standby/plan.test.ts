import { symlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { planStandby } from '../../src/standby/plan.ts';
import { tempProject } from '../kit/temp-project.ts';

const FILES = {
  'server.js': '',
  'server.ts': '',
  'dist/server.js': '',
  'node_modules/.bin/tsx': '',
  'package.json': JSON.stringify({
    scripts: {
      start: 'node dist/server.js --flag',
      dev: 'NODE_ENV=development tsx server.ts',
      build: 'tsc && node server.js',
      hooked: 'node server.js',
      prehooked: 'cp a b',
      ended: 'node server.js',
      postended: 'rm b',
      again: 'npm run start',
      expands: 'node $MAIN',
      shell: './start.sh',
    },
  }),
};

const FILES_OF_PYTHON = {
  'server.py': '',
  'package.json': '{ "scripts": { "dev": "python3 -u server.py" } }',
};

function plan(command: string, options?: string) {
  const project = tempProject(FILES);
  const [program = '', ...args] = command.split(' ');
  const env = options === undefined ? {} : { NODE_OPTIONS: options };
  const found = planStandby({ command: program, args, cwd: project.folder, env });
  if (found.kind === 'none') return found.reason;
  if (found.kind === 'python') throw new Error('a plan for Python');
  const inProject = (path: string): string => path.replace(`${project.folder}/`, '');
  return [inProject(found.entry), found.loader, ...found.files.map(inProject)].join(' ');
}

test.each([
  ['node server.js', 'server.js node'],
  ['/usr/bin/node server.js --import ./x.mjs', 'server.js node'],
  [`${process.execPath} --enable-source-maps server.js`, 'server.js node'],
  ['node --max-old-space-size=4096 --no-warnings -- server.js', 'server.js node'],
  ['node --env-file=.env --env-file-if-exists .env.local server.js', 'server.js node .env .env.local'],
  ['node --import tsx server.ts', 'server.ts tsx'],
  ['node --import=tsx/esm server.ts', 'server.ts tsx'],
  ['tsx server.ts', 'server.ts tsx'],
  ['node_modules/.bin/tsx --no-cache --tsconfig other.json server.ts', 'server.ts tsx other.json'],
  ['npx tsx server.ts', 'server.ts tsx'],
  ['npx -y -- tsx server.ts', 'server.ts tsx'],
  ['npm start', 'dist/server.js node'],
  ['npm run -s start -- --silent', 'dist/server.js node'],
  ['npm -s run dev', 'server.ts tsx'],
  ['node not/there/yet.mjs', 'not/there/yet.mjs node'],
])('%s: its next process can wait', (command, expected) => {
  expect(plan(command)).toBe(expected);
});

test.each([
  ['docker run --rm -i image', 'docker may do something of its own before the server'],
  ['bun server.ts', 'bun may do something of its own before the server'],
  ['deno run server.ts', 'deno may do something of its own before the server'],
  ['./start.sh', 'start.sh may do something of its own before the server'],
  ['sh -c node', 'sh may do something of its own before the server'],
  ['env -i node server.js', 'env may do something of its own before the server'],
  ['uv run server.py', 'uv may do something of its own before the server'],
  ['poetry run python server.py', 'poetry may do something of its own before the server'],
  ['pypy3 server.py', 'pypy3 may do something of its own before the server'],
  ['python2 server.py', 'python2 may do something of its own before the server'],
  ['python3', 'the command names no program'],
  ['python3 -u -m', 'the command names no program'],
  ['python3 server', 'server is not named like a program for Python'],
  ['python3 -I server.py', 'Python takes no notice of what it is given because of -I'],
  ['python3 -uE -m server', 'Python takes no notice of what it is given because of -uE'],
  ['python3 -Sm server', 'Python takes no notice of what it is given because of -Sm'],
  ['python3 -c 0', "Python's -c may depend on when it starts"],
  ['python3 -', "Python's - may depend on when it starts"],
  ['python3 -i server.py', "Python's -i may depend on when it starts"],
  ['python3 -X importtime server.py', "Python's -X importtime may depend on when it starts"],
  ['node', 'the command names no program'],
  ['node server', 'server is not named like a program for node'],
  ['node -r dotenv/config server.js', 'node is told to -r dotenv/config first'],
  ['node --require=./first.cjs server.js', 'node is told to --require ./first.cjs first'],
  ['node --import ./instrument.mjs server.js', 'node is told to --import ./instrument.mjs first'],
  ['node --loader ts-node/esm server.ts', 'node is told to --loader ts-node/esm first'],
  ['node --watch server.js', "node's --watch may depend on when it starts"],
  ['node --conditions=development server.js', "node's --conditions may depend on when it starts"],
  ['node -e 0', "node's -e may depend on when it starts"],
  ['tsx watch server.ts', 'tsx watch starts the server again by itself'],
  ['npx some-server', 'npx some-server may do something of its own first'],
  ['npm run build', 'the script "build" is more than one plain command'],
  ['npm run hooked', 'package.json has a prehooked script, which would run too early'],
  ['npm run ended', 'package.json has a postended script, which would run too early'],
  ['npm run again', 'the script "again" runs npm again'],
  ['npm run expands', 'the script "expands" is more than one plain command'],
  ['npm run shell', 'start.sh may do something of its own before the server'],
  ['npm run missing', 'package.json has no script "missing"'],
  ['npm exec tsx server.ts', 'npm exec may do something of its own first'],
])('%s: it cannot', (command, expected) => {
  expect(plan(command)).toBe(expected);
});

test.each([
  ['python3 server.py --flag', 'server.py', ['server.py']],
  ['python server.py', 'server.py', ['server.py']],
  ['.venv/bin/python3.12 server.pyw', 'server.pyw', ['server.pyw']],
  ['python3 -uB -X dev -Xutf8 -W error -Wonce server.py -I', 'server.py', 8],
  ['python3 -m server -I', '.', ['-m', 'server']],
  ['python3 -u -mpackage.server x', '.', ['-u', '-mpackage.server']],
  ['python3 -um server', '.', ['-um', 'server']],
  ['npm run -s dev -- --flag', 'server.py', ['-u', 'server.py']],
])('%s: its next process can wait', (command, entry, words) => {
  const project = tempProject(FILES_OF_PYTHON);
  const [program = '', ...args] = command.split(' ');
  // Only node is told by these.
  const env = { NODE_OPTIONS: '--require ./trace.cjs' };
  expect(planStandby({ command: program, args, cwd: project.folder, env })).toEqual({
    kind: 'python',
    entry: entry === '.' ? project.folder : project.path(entry),
    words: typeof words === 'number' ? args.slice(0, words) : words,
  });
});

test.each([
  ['--max-old-space-size=512', 'server.js node'],
  ['--import tsx', 'server.js tsx'],
  ['--require ./trace.cjs', 'node is told to --require ./trace.cjs first'],
  ['--import=file:///instrument.mjs', 'node is told to --import file:///instrument.mjs first'],
  ['--title="a b"', 'NODE_OPTIONS has quotes'],
])('NODE_OPTIONS %s', (options, expected) => {
  expect(plan('node server.js', options)).toBe(expected);
});

test('npx without tsx in the project has to install it', () => {
  const project = tempProject({ 'server.ts': '' });
  expect(planStandby({ command: 'npx', args: ['tsx', 'server.ts'], cwd: project.folder, env: {} })).toEqual({
    kind: 'none',
    reason: 'npx finds no tsx in the project and has to install it',
  });
});

test('the program is known by where it really lies', () => {
  const project = tempProject({ 'release/server.js': '' });
  symlinkSync('release', project.path('current'));
  const found = planStandby({ command: 'node', args: ['current/server.js'], cwd: project.folder, env: {} });
  expect(found).toMatchObject({ kind: 'node', entry: project.path('release/server.js') });
});
