import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Builder } from '../../src/build/builder.ts';
import { shellBuilder } from '../../src/build/shell-builder.ts';
import { until } from '../kit/wait.ts';
import { alive, folder, NEVER, pidIn, write } from './kit.ts';

interface Bench {
  readonly root: string;
  readonly builder: Builder;
  output(): string;
}

/** A builder in a folder of its own; the files are there before the first build. */
function bench(command: string, files: Readonly<Record<string, string>> = {}, cwd?: string): Bench {
  const root = folder(files);
  const chunks: Buffer[] = [];
  const builder = shellBuilder({
    command,
    cwd: cwd ?? root,
    env: () => ({ ...process.env, NODE: process.execPath }),
    onOutput: (chunk) => chunks.push(chunk),
  });
  onTestFinished(() => builder.close());
  return { root, builder, output: () => Buffer.concat(chunks).toString() };
}

/** Notes its pid in the file, then lives until it is killed. */
const FOREVER = `
  require('node:fs').writeFileSync(process.argv[2], process.pid + '\\n');
  setInterval(() => {}, 1000);`;
const STUBBORN = `process.on('SIGTERM', () => {}); ${FOREVER}`;

describe('how a build ends', () => {
  test('exit code 0 is built, stdout and stderr come in the order they were written', async () => {
    const { builder, output } = bench('echo 1; echo 2 >&2; echo 3; echo 4 >&2; pwd');
    expect(await builder.build(NEVER)).toEqual({ outcome: 'built', ms: expect.any(Number) });
    expect(output()).toMatch(/^1\n2\n3\n4\n\/.*\n$/);
  });

  test('another exit code is a failure with what the compiler said, without colours', async () => {
    const { builder, output } = bench(`printf '\\033[31msrc/a.ts(1,2): error\\033[0m\\n' >&2; exit 2`);
    expect(await builder.build(NEVER)).toMatchObject({
      outcome: 'failed',
      reason: 'exit code 2',
      text: 'src/a.ts(1,2): error\n',
    });
    expect(output()).toContain('\u001b[31m');
  });

  test('a signal is named', async () => {
    const { builder } = bench('kill -KILL $$');
    expect(await builder.build(NEVER)).toMatchObject({ outcome: 'failed', reason: 'SIGKILL' });
  });

  test('of a long text the last 16 KB are kept, from the start of a line', async () => {
    const { builder } = bench('i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo "fehler ä $i"; done; exit 1');
    const outcome = await builder.build(NEVER);
    if (outcome.outcome !== 'failed') throw new Error(outcome.outcome);
    const lines = outcome.text.trimEnd().split('\n');
    expect(lines.at(-1)).toBe('fehler ä 3000');
    expect(lines.every((line) => /^fehler ä \d+$/.test(line))).toBe(true);
    const size = Buffer.byteLength(outcome.text);
    expect(size).toBeLessThanOrEqual(16 * 1024);
    expect(size).toBeGreaterThan(16 * 1024 - 20);
  });

  test('a folder that does not exist is named', async () => {
    const { builder } = bench('true', {}, '/nowhere/at/all');
    expect(await builder.build(NEVER)).toMatchObject({
      outcome: 'failed',
      reason: 'cannot start: /nowhere/at/all does not exist',
    });
  });

  test('a command that no system takes is a failure too', async () => {
    const { builder } = bench(`true ${'x'.repeat(1 << 22)}`);
    const outcome = await builder.build(NEVER);
    expect(outcome).toMatchObject({
      outcome: 'failed',
      reason: expect.stringMatching(/^cannot start: .*E2BIG/),
    });
  });

  test('a command that is not found says so in its text', async () => {
    const { builder } = bench('no-such-compiler --all');
    expect(await builder.build(NEVER)).toMatchObject({
      outcome: 'failed',
      reason: 'exit code 127',
      text: expect.stringContaining('no-such-compiler'),
    });
  });

  test('stdin is empty', async () => {
    const { builder, output } = bench('cat; echo "end $?"');
    expect(await builder.build(NEVER)).toMatchObject({ outcome: 'built' });
    expect(output()).toBe('end 0\n');
  });

  test('output is complete, however much it is', async () => {
    const size = 5_000_000;
    const { builder, output } = bench('"$NODE" big.js', {
      'big.js': `let left = ${size}; while (left > 0) left -= require('node:fs').writeSync(1, 'x'.repeat(left));`,
    });
    expect(await builder.build(NEVER)).toMatchObject({ outcome: 'built' });
    expect(output().length).toBe(size);
  });
});

describe('abort', () => {
  test('ends npm, its shell and the compiler below it', async () => {
    const { root, builder } = bench('npm run -s build', {
      'package.json': JSON.stringify({ scripts: { build: '"$NODE" forever.cjs pid; echo after' } }),
      'forever.cjs': FOREVER,
    });
    const abort = new AbortController();
    const build = builder.build(abort.signal);
    const pid = await pidIn(join(root, 'pid'));
    abort.abort();
    expect(await build).toMatchObject({ outcome: 'aborted' });
    expect(alive(pid)).toEqual([]);
  });

  test('kills what ignores SIGTERM, also when its parents are gone already', async () => {
    const { root, builder } = bench('("$NODE" stubborn.js inner &) ; "$NODE" forever.js outer', {
      'stubborn.js': STUBBORN,
      'forever.js': FOREVER,
    });
    const abort = new AbortController();
    const build = builder.build(abort.signal);
    const pids = [await pidIn(join(root, 'inner')), await pidIn(join(root, 'outer'))];
    abort.abort();
    expect(await build).toMatchObject({ outcome: 'aborted' });
    expect(alive(...pids)).toEqual([]);
  });

  test('lets a build tidy up on SIGTERM', async () => {
    const { root, builder, output } = bench('"$NODE" tidy.js pid', {
      'tidy.js': `process.on('SIGTERM', () => { console.log('tidied'); process.exit(0); }); ${FOREVER}`,
    });
    const abort = new AbortController();
    const build = builder.build(abort.signal);
    await pidIn(join(root, 'pid'));
    abort.abort();
    expect(await build).toMatchObject({ outcome: 'aborted' });
    await until(() => output() === 'tidied\n', 'the line of the handler');
  });

  test('before the start starts nothing', async () => {
    const { builder, output } = bench('echo started');
    expect(await builder.build(AbortSignal.abort())).toMatchObject({ outcome: 'aborted' });
    expect(await builder.build(NEVER)).toMatchObject({ outcome: 'built' });
    expect(output()).toBe('started\n');
  });

  test('does not wait for the dead that nobody waits for', async () => {
    // The parent leaves the group and never waits for its child, who ends in the group.
    const { root, builder } = bench('python3 zombie.py; "$NODE" forever.js started', {
      'zombie.py': `
import os, time
if os.fork() == 0:
    parent = os.getpid()
    if os.fork() == 0: os._exit(0)
    os.setsid()
    for fd in (0, 1, 2): os.close(fd)
    open('pid', 'w').write('%d\\n' % parent)
    time.sleep(600)
`,
      'forever.js': FOREVER,
    });
    const abort = new AbortController();
    const build = builder.build(abort.signal);
    const parent = await pidIn(join(root, 'pid'));
    onTestFinished(() => void process.kill(parent, 'SIGKILL'));
    await pidIn(join(root, 'started'));
    abort.abort();
    const outcome = await build;
    expect(outcome).toMatchObject({ outcome: 'aborted' });
    // Waiting for it would take as long as both grace times together.
    expect(outcome.ms).toBeLessThan(4000);
  });
});

describe('what a build leaves behind', () => {
  test('does not hang it, is let live, and ends with the builder', async () => {
    const { root, builder, output } = bench(
      '"$NODE" forever.js pid & until [ -s pid ]; do :; done; echo built',
      {
        'forever.js': FOREVER,
      },
    );
    expect(await builder.build(NEVER)).toMatchObject({ outcome: 'built' });
    expect(output()).toBe('built\n');
    const pid = await pidIn(join(root, 'pid'));
    expect(alive(pid)).toEqual([pid]);
    await builder.close();
    expect(alive(pid)).toEqual([]);
  });

  test('can go on writing to its output, and outlives the builder when it detached itself', async () => {
    const { root, builder, output } = bench(
      'setsid "$NODE" daemon.js pid & until [ -s pid ]; do :; done; echo built',
      {
        'daemon.js': `
        const fs = require('node:fs');
        fs.watchFile('go', { interval: 20 }, (now) => {
          if (now.mtimeMs === 0) return;
          fs.writeSync(1, 'late\\n');
          fs.writeFileSync('wrote', process.pid + '\\n');
        });
        ${FOREVER}`,
      },
    );
    expect(await builder.build(NEVER)).toMatchObject({ outcome: 'built' });
    const pid = await pidIn(join(root, 'pid'));
    onTestFinished(() => void process.kill(pid, 'SIGKILL'));
    write(root, { go: 'now' });
    expect(await pidIn(join(root, 'wrote'))).toBe(pid);
    await builder.close();
    expect(alive(pid)).toEqual([pid]);
    expect(output()).toBe('built\n');
  });

  test('killNow ends it all synchronously', async () => {
    const { root, builder } = bench('"$NODE" stubborn.js pid', { 'stubborn.js': STUBBORN });
    const build = builder.build(NEVER);
    const pid = await pidIn(join(root, 'pid'));
    builder.killNow();
    expect(await build).toMatchObject({ outcome: 'failed', reason: 'SIGKILL' });
    await until(() => alive(pid).length === 0, 'the end of the build');
  });

  test('close aborts a running build', async () => {
    const { root, builder } = bench('"$NODE" forever.js pid', { 'forever.js': FOREVER });
    const build = builder.build(NEVER);
    const pid = await pidIn(join(root, 'pid'));
    await builder.close();
    expect(await build).toMatchObject({ outcome: 'aborted' });
    expect(alive(pid)).toEqual([]);
  });
});
