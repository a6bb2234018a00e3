import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { BuildOutcome } from '../../src/build/builder.ts';
import { privateFolder } from '../../src/config/private-folder.ts';
import { Arrivals, until } from '../kit/wait.ts';
import { alive, folder } from './kit.ts';

/** Notes the pid of its shell, and ends when there is no file `wait`. */
const GATED = 'echo $$ >> log; while [ -e wait ]; do sleep 0.02; done';

let program = '';

beforeAll(async () => {
  const entryPoint = new URL('sharer.ts', import.meta.url).pathname;
  const { outputFiles } = await build({
    entryPoints: [entryPoint],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    write: false,
  });
  program = outputFiles[0]?.text ?? '';
});

interface Said {
  readonly began?: number;
  readonly changed?: true;
  readonly notice?: string;
  readonly outcome?: BuildOutcome['outcome'];
}

/** A process that shares the builds of a folder with others. */
class Sharer {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #said: Arrivals<Said>;
  #read = 0;

  constructor(root: string, command: string) {
    this.#child = spawn(process.execPath, ['sharer.cjs', root, command], {
      cwd: root,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.pid = this.#child.pid ?? 0;
    this.#said = new Arrivals(`sharer ${this.pid}`);
    const { stdout } = this.#child;
    if (stdout === null) throw new Error('no stdout');
    createInterface({ input: stdout }).on('line', (line) => this.#said.push(JSON.parse(line)));
    this.#child.once('exit', (code) => this.#said.end(`it ended (${code})`));
    onTestFinished(() => this.close());
  }

  do(what: 'build' | 'abort' | 'change' | 'close'): void {
    this.#child.stdin?.write(`${what}\n`);
  }

  /** The pid of the process whose build it is that it runs or waits for, the next time that it tells. */
  began(): Promise<number | undefined> {
    return this.#next('began').then(({ began }) => began);
  }

  outcome(): Promise<object> {
    return this.#next('outcome');
  }

  async change(): Promise<void> {
    this.do('change');
    await this.#next('changed');
  }

  notice(): Promise<string | undefined> {
    return this.#next('notice').then(({ notice }) => notice);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.do('close');
    await exit;
  }

  async #next(key: keyof Said) {
    const at = await this.#said.find((what) => key in what, key, this.#read);
    this.#read = at + 1;
    return this.#said.all[at] ?? {};
  }
}

/** A folder whose build is held up, and so many processes; the first runs the build, the others wait for it. */
async function bench(count: number, command = GATED) {
  const root = folder({ 'sharer.cjs': program, wait: '' });
  const sharers = Array.from({ length: count }, () => new Sharer(root, command));
  // What a killed one has left goes on until its gate opens.
  onTestFinished(() => rmSync(join(root, 'wait'), { force: true }));
  const [holder, ...waiters] = sharers as [Sharer, Sharer, ...Sharer[]];
  holder.do('build');
  expect(await holder.began()).toBe(holder.pid);
  await until(() => runs(root) === 1, 'the build runs');
  // From then on others find it, even if its process is killed.
  await until(() => isNoted(shells(root)[0]), 'the build is noted');
  for (const waiter of waiters) waiter.do('build');
  for (const waiter of waiters) expect(await waiter.began()).toBe(holder.pid);
  return {
    root,
    holder,
    waiters,
    waiter: waiters[0] as Sharer,
    openGate: () => rmSync(join(root, 'wait')),
  };
}

/** Whether a file in the private folder names the process as one that builds. */
function isNoted(pid = 0): boolean {
  const notes = privateFolder();
  if (notes === undefined) throw new Error('there is no private folder');
  const files = readdirSync(notes).filter((name) => name.endsWith('.running.json'));
  return files.some((name) => {
    try {
      return readFileSync(join(notes, name), 'utf8').includes(`"pid":${pid},`);
    } catch (error) {
      // That of another test may go at any moment.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  });
}

/** How often the build of the folder was started. */
function runs(root: string): number {
  return shells(root).length;
}

/** The pids of the shells that the builds of the folder were started with. */
function shells(root: string): number[] {
  const log = join(root, 'log');
  return existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(0, -1).map(Number) : [];
}

/** What these processes have left for others. */
function notesOf(sharers: readonly Sharer[]): string[] {
  const notes = readdirSync(privateFolder() ?? '');
  return notes.filter((name) => sharers.some(({ pid }) => name.endsWith(`-${pid}.json`)));
}

const BUILT = { outcome: 'built', ms: expect.any(Number) };

describe('a build that another process asks for too', () => {
  test('is run once, however many wait for it, and nothing is left of it', async () => {
    const { root, holder, waiters, openGate } = await bench(4);
    openGate();
    for (const sharer of [holder, ...waiters]) expect(await sharer.outcome()).toEqual(BUILT);
    expect(runs(root)).toBe(1);
    await holder.close();
    expect(notesOf([holder, ...waiters])).toEqual([]);
  });

  test('is run once when all ask at the same time', async () => {
    const root = folder({ 'sharer.cjs': program, wait: '' });
    const sharers = [1, 2, 3].map(() => new Sharer(root, GATED));
    for (const sharer of sharers) sharer.do('build');
    const builders = new Set(await Promise.all(sharers.map((sharer) => sharer.began())));
    expect(builders.size).toBe(1);
    rmSync(join(root, 'wait'));
    for (const sharer of sharers) expect(await sharer.outcome()).toEqual(BUILT);
    expect(runs(root)).toBe(1);
  });

  test('has failed for all of them', async () => {
    const { root, holder, waiter, openGate } = await bench(2, `${GATED}; echo 'a.ts(1,1): error'; exit 3`);
    openGate();
    const failed = {
      outcome: 'failed',
      ms: expect.any(Number),
      reason: 'exit code 3',
      text: 'a.ts(1,1): error\n',
    };
    expect(await holder.outcome()).toEqual(failed);
    expect(await waiter.outcome()).toEqual(failed);
    expect(runs(root)).toBe(1);
  });

  test('is not the next one, which is run anew', async () => {
    const { root, holder, waiter, openGate } = await bench(2);
    openGate();
    expect(await holder.outcome()).toEqual(BUILT);
    expect(await waiter.outcome()).toEqual(BUILT);
    waiter.do('build');
    expect(await waiter.began()).toBe(waiter.pid);
    expect(await waiter.outcome()).toEqual(BUILT);
    expect(runs(root)).toBe(2);
  });

  test('is run again by who knows of a change since it began', async () => {
    const { root, holder, waiter, openGate } = await bench(2);
    await waiter.change();
    openGate();
    expect(await holder.outcome()).toEqual(BUILT);
    expect(await waiter.began()).toBe(waiter.pid);
    expect(await waiter.outcome()).toEqual(BUILT);
    expect(runs(root)).toBe(2);
  });

  test('does not concern who builds otherwise', async () => {
    const { root, holder, openGate } = await bench(1);
    const other = new Sharer(root, 'true');
    other.do('build');
    expect(await other.began()).toBe(other.pid);
    expect(await other.outcome()).toEqual(BUILT);
    openGate();
    expect(await holder.outcome()).toEqual(BUILT);
  });
});

describe('a build that comes to nothing', () => {
  test('because its process was killed is run again, by one of those who waited', async () => {
    const { root, holder, waiters, openGate } = await bench(4);
    await holder.kill();
    const builders = new Set(await Promise.all(waiters.map((waiter) => waiter.began())));
    expect(builders.size).toBe(1);
    expect(waiters.map(({ pid }) => pid)).toContain([...builders][0]);
    openGate();
    for (const waiter of waiters) expect(await waiter.outcome()).toEqual(BUILT);
    expect(runs(root)).toBe(2);
  });

  test('because its process was killed does not go on beside the next one', async () => {
    const { root, holder, waiter, openGate } = await bench(2);
    const [left = 0] = shells(root);
    expect(alive(left)).toEqual([left]);
    await holder.kill();
    expect(await waiter.notice()).toBe('ends the build that a killed process has left');
    await until(() => runs(root) === 2, 'the next one runs');
    expect(alive(left)).toEqual([]);
    openGate();
    expect(await waiter.outcome()).toEqual(BUILT);
  });

  test('because its process was killed is ended by who comes later, too', async () => {
    const { root, holder, openGate } = await bench(1);
    const [left = 0] = shells(root);
    await holder.kill();
    const next = new Sharer(root, GATED);
    next.do('build');
    await until(() => runs(root) === 2, 'the next one runs');
    expect(alive(left)).toEqual([]);
    openGate();
    expect(await next.outcome()).toEqual(BUILT);
  });

  test('because it was aborted is run again by who waited', async () => {
    const { root, holder, waiter, openGate } = await bench(2);
    holder.do('abort');
    expect(await holder.outcome()).toMatchObject({ outcome: 'aborted' });
    expect(await waiter.began()).toBe(waiter.pid);
    openGate();
    expect(await waiter.outcome()).toEqual(BUILT);
    expect(runs(root)).toBe(2);
  });
});

describe('who waits', () => {
  test('builds by itself when the holder was suspended and its build is over, not before', async () => {
    const { root, holder, waiter, openGate } = await bench(2);
    const [first = 0] = shells(root);
    holder.signal('SIGSTOP');
    openGate();
    expect(await waiter.notice()).toBe(
      `builds without process ${holder.pid}, whose build is over and which does not say how it went`,
    );
    expect(alive(first)).toEqual([]);
    expect(await waiter.began()).toBe(waiter.pid);
    expect(await waiter.outcome()).toEqual(BUILT);
    expect(runs(root)).toBe(2);
    holder.signal('SIGCONT');
    expect(await holder.outcome()).toEqual(BUILT);
  });

  test('stops when it is aborted, and may ask again', async () => {
    const { root, holder, waiter, openGate } = await bench(2);
    waiter.do('abort');
    expect(await waiter.outcome()).toMatchObject({ outcome: 'aborted' });
    waiter.do('build');
    expect(await waiter.began()).toBe(holder.pid);
    openGate();
    expect(await holder.outcome()).toEqual(BUILT);
    expect(await waiter.outcome()).toEqual(BUILT);
    expect(runs(root)).toBe(1);
  });

  test('can be closed while the build goes on', async () => {
    const { root, holder, waiter, openGate } = await bench(2);
    await waiter.close();
    openGate();
    expect(await holder.outcome()).toEqual(BUILT);
    expect(runs(root)).toBe(1);
  });
});
