import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { processesOf } from '../kit/processes.ts';
import { type TempProject, tempProject } from '../kit/temp-project.ts';
import { Arrivals, within } from '../kit/wait.ts';
import { PLAIN_TS, toolsText } from './live.ts';
import { MCP_DEV } from './run.ts';

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';

/** A person at a terminal who started `mcp-dev`, or a script that pretends to be one. */
class Person {
  /** Each line, without colours. */
  readonly seen = new Arrivals<string>('what a person sees');
  readonly raw: string[] = [];
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  readonly #mark: string;
  #read = 0;

  constructor(project: TempProject, command: readonly string[], screen: 'stdout' | 'stderr') {
    const [program = '', ...args] = command;
    this.#mark = `PERSON_${randomUUID().replaceAll('-', '')}`;
    const env = {
      ...process.env,
      TERM: 'xterm',
      NO_COLOR: undefined,
      FORCE_COLOR: undefined,
      [this.#mark]: '1',
    };
    const child = spawn(program, args, { cwd: project.folder, env, stdio: 'pipe' });
    this.#child = child;
    this.#exit = once(child, 'exit').then(([code]) => code);
    const ended = once(child, 'close').then(() => this.seen.end('it ended'));
    createInterface({ input: child[screen] }).on('line', (line) => {
      this.raw.push(line);
      this.seen.push(stripVTControlCharacters(line));
    });
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await ended;
    });
  }

  /** The next line that matches, after the last one that was waited for. */
  async sees(pattern: RegExp): Promise<string> {
    const at = await this.seen.find((line) => pattern.test(line), `line like ${pattern}`, this.#read);
    this.#read = at + 1;
    return this.seen.all[at] ?? '';
  }

  types(keys: string): void {
    this.#child.stdin?.write(keys);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async leaves(): Promise<{ code: unknown; left: number[] }> {
    const code = await within(this.#exit, () => `the end; seen was ${this.seen.all.join('\n')}`);
    return { code, left: processesOf(`${this.#mark}=1`) };
  }
}

const hasScript = String(spawnSync('script', ['--version']).stdout).includes('util-linux');

describe.skipIf(!hasScript)('in a terminal', () => {
  function open(files = PLAIN_TS): { project: TempProject; person: Person } {
    const project = tempProject(files);
    const command = `${process.execPath} ${MCP_DEV} server.ts > stdout.txt`;
    return { project, person: new Person(project, ['script', '-qec', command, '/dev/null'], 'stdout') };
  }

  test('the tools, the keys, what a save changed, and Ctrl-C that ends everything', async () => {
    const { project, person } = open();
    await person.sees(/^mcp-dev generation 1 started \(first start; /);
    expect(await person.sees(/^mcp-dev connected to plain 1\.0\.0, /)).toContain(
      'keys: r reload, l list, s status, q quit',
    );
    await person.sees(/^mcp-dev 1 tools?$/);
    await person.sees(/^mcp-dev {3}version$/);
    expect(person.raw[0]).toContain('\u001b[32mmcp-dev\u001b[39m ');

    person.types('r');
    await person.sees(/^mcp-dev generation 2 took over \(key r; .*\): no differences$/);
    project.write('tools.ts', `export const tools = { version: () => '2', added: () => '' };\n`);
    await person.sees(/^mcp-dev generation 3 took over \(tools\.ts; .*\): \+tool added$/);
    person.types('l');
    await person.sees(/^mcp-dev 2 tools$/);
    await person.sees(/^mcp-dev {3}added$/);
    person.types('s');
    await person.sees(
      /^mcp-dev serving: generation 3 serves \(process \d+, for \d+ s\); watches what \S+\/server\.ts imports$/,
    );
    project.write('tools.ts', 'export const tools = ;');
    await person.sees(/^mcp-dev the build failed .*; generation 3 goes on with the code before$/);
    await person.sees(/tools\.ts:1:21/);
    person.types('s');
    await person.sees(
      /^mcp-dev stale: generation 3 serves .*; the newest source does not work: the build failed/,
    );

    person.types(CTRL_C);
    expect(await person.leaves()).toEqual({ code: 130, left: [] });
    expect(readFileSync(project.path('stdout.txt'), 'utf8')).toBe('');
  });

  test.each([
    { name: 'q', keys: 'q' },
    { name: 'Ctrl-D', keys: CTRL_D },
  ])('$name ends everything too', async ({ keys }) => {
    const { project, person } = open();
    await person.sees(/keys: r reload/);
    person.types(keys);
    expect(await person.leaves()).toEqual({ code: 0, left: [] });
    expect(readFileSync(project.path('stdout.txt'), 'utf8')).toBe('');
  });

  test('a first start that fails is shown, and so are the tools once it is mended', async () => {
    const { project, person } = open({ ...PLAIN_TS, 'tools.ts': 'export const tools = ;' });
    await person.sees(/^mcp-dev the build failed \(1 error\) \(first start\); the server is down/);
    await person.sees(/tools\.ts:1:21/);
    await person.sees(/^mcp-dev no tools$/);
    project.write('tools.ts', toolsText('mended'));
    await person.sees(/^mcp-dev generation 1 .*: \+tool version$/);
    person.types('q');
    expect(await person.leaves()).toEqual({ code: 0, left: [] });
  });
});

test('--terminal where there is none: the same, keys as characters, and stdout stays empty', async () => {
  const project = tempProject({ ...PLAIN_TS, out: '' });
  const command = `exec "$0" "$1" --terminal server.ts > stdout.txt`;
  const person = new Person(project, ['sh', '-c', command, process.execPath, MCP_DEV], 'stderr');
  await person.sees(/^mcp-dev connected to plain/);
  await person.sees(/^mcp-dev {3}version$/);
  person.types('r\n');
  await person.sees(/^mcp-dev generation 2 took over \(key r; /);
  project.write('tools.ts', toolsText('two'));
  await person.sees(/^mcp-dev generation 3 took over \(tools\.ts; /);
  person.kill('SIGINT');
  expect(await person.leaves()).toEqual({ code: 130, left: [] });
  expect(readFileSync(project.path('stdout.txt'), 'utf8')).toBe('');
});
