import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { build } from 'esbuild';
import { describe, expect, it, onTestFinished } from 'vitest';
import { tempProject } from '../kit/temp-project.ts';
import { Arrivals, until } from '../kit/wait.ts';
import { age } from './observed.ts';

/**
 * A program that watches the folder of its first argument and prints what it is told, a line each. With a second
 * argument it begins with no file left to open, and closes some at the first fault.
 */
const PROGRAM = `
  import { openSync, closeSync } from 'node:fs';
  import { startWatch } from './watch.ts';
  const say = (...words) => console.log(words.join(' '));
  const hoard = [];
  say('start');
  if (process.argv[3] === 'hoard') {
    try { for (;;) hoard.push(openSync(process.argv[1])); }
    catch (error) { if (error.code !== 'EMFILE') throw error; }
  }
  const root = process.argv[2];
  const watch = startWatch(
    { root, watch: [], ignore: [], extensions: new Set(['ts']), poll: undefined, debounce: undefined,
      outputs: [], files: [], compiled: undefined, inputsOnly: false },
    {
      onChange() {},
      onBatch: (changes) => say(...changes.map((change) => change.kind + ' ' + change.path.slice(root.length + 1))),
      onFault: (fault) => {
        say('fault', fault.message);
        for (const fd of hoard.splice(0)) closeSync(fd);
      },
    },
  );
  watch.ready.then(() => say('ready'));
`;

/** The program, and a project for it. */
async function prepare() {
  const project = tempProject({ 'a/b/c.ts': '', 'd/e/f.ts': '', 'secret/g.ts': '' });
  const bundle = tempProject();
  await build({
    stdin: { contents: PROGRAM, resolveDir: new URL('../../src/watch', import.meta.url).pathname },
    outfile: bundle.path('program.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
  });
  return { project, program: [process.execPath, bundle.path('program.cjs'), project.folder] };
}

function linesOf(command: readonly string[]): Arrivals<string> {
  const [file = '', ...args] = command;
  const child: ChildProcess = spawn(file, args, { stdio: 'pipe' });
  const lines = new Arrivals<string>('output');
  onTestFinished(async () => {
    const exit = new Promise((resolve) => child.once('exit', resolve));
    if (child.exitCode === null && child.kill('SIGKILL')) await exit;
  });
  for (const stream of [child.stdout!, child.stderr!]) {
    createInterface({ input: stream }).on('line', (line) => lines.push(line));
  }
  return lines;
}

/** Lowers a limit for a command alone, in a user namespace of its own. */
const lowered = (limit: string, value: number, command: readonly string[]) => {
  const script = `echo ${value} > /proc/sys/user/${limit} && exec "$@"`;
  return ['unshare', '--user', '--map-root-user', 'sh', '-c', script, 'sh', ...command];
};

/** Starts a command of the superuser to whom folders are closed as to any other owner. */
const asOwner = ['setpriv', '--bounding-set', '-dac_override,-dac_read_search', '--inh-caps', '-all'];

const canLower = spawnSync('unshare', ['--user', '--map-root-user', 'true']).status === 0;

describe.skipIf(!canLower)('where the system allows no more', () => {
  it.each([
    ['watches', 'max_inotify_watches', 3, 'fs.inotify.max_user_watches'],
    ['instances', 'max_inotify_instances', 0, 'fs.inotify.max_user_instances'],
  ] as const)('%s, the fault says so and the rest is polled', async (_, limit, value, remedy) => {
    const { project, program } = await prepare();
    const lines = linesOf(lowered(limit, value, program));
    const fault = await lines.find((line) => line.startsWith('fault'), 'fault');
    expect(lines.all[fault]).toContain(remedy);
    await lines.find((line) => line === 'ready', 'ready');
    for (const text of ['one', 'two, longer']) {
      for (const name of ['a/b/c.ts', 'd/e/f.ts']) {
        const from = lines.all.length;
        project.atomicWrite(name, text);
        await lines.find((line) => line === `changed ${name}`, `change of ${name}`, from);
      }
    }
    const from = lines.all.length;
    project.write('new/deep/h.ts', 'made where there was no watch left');
    await lines.find((line) => line === 'added new/deep/h.ts', 'added file', from);
    expect(lines.all.filter((line) => line.startsWith('fault'))).toHaveLength(1);
  });
});

it('says which folder is closed to it, and goes on with the others', async () => {
  const { project, program } = await prepare();
  chmodSync(project.path('secret'), 0);
  const lines = linesOf(process.getuid?.() === 0 ? [...asOwner, ...program] : program);
  const fault = await lines.find((line) => line.startsWith('fault'), 'fault');
  expect(lines.all[fault]).toContain(`${project.path('secret')}: permission denied`);
  project.write('a/b/c.ts', 'changed');
  await lines.find((line) => line === 'changed a/b/c.ts', 'change');
});

it('tries again when it could not even list the folders', async () => {
  const { project, program } = await prepare();
  for (const name of ['a/b/c.ts', 'd/e/f.ts', 'secret/g.ts']) age(project.path(name));
  const lines = linesOf(['sh', '-c', 'ulimit -n 64 && exec "$@"', 'sh', ...program, 'hoard']);
  const fault = await lines.find((line) => line.startsWith('fault'), 'fault');
  expect(lines.all[fault]).toContain('tried again every');
  const seen = async () => {
    project.write('d/e/f.ts', `${Math.random()}`);
    await setTimeout(50);
    return lines.all.includes('changed d/e/f.ts');
  };
  await until(seen, 'a change that is seen');
  expect(lines.all.filter((line) => line.startsWith('added'))).toEqual([]);
});
