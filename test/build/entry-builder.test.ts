import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { entryBuilder } from '../../src/build/entry-builder.ts';
import { leaveEsbuild, useEsbuild } from '../../src/build/esbuild-service.ts';
import { until } from '../kit/wait.ts';
import { alive, type EntryBench, entryBench, NEVER, write } from './kit.ts';

function outputOf(bench: EntryBench): string {
  return bench.builder.args.at(-1)!;
}

async function failure(bench: EntryBench): Promise<{ reason: string; text: string }> {
  const outcome = await bench.builder.build(NEVER);
  if (outcome.outcome !== 'failed') throw new Error(outcome.outcome);
  return outcome;
}

const PACKAGES = { 'node_modules/x/package.json': '{}', 'package.json': '{ "type": "module" }' };

describe('a failed build', () => {
  test('tells what esbuild says, keeps the last output and knows all inputs', async () => {
    const bench = entryBench('src/server.ts', {
      ...PACKAGES,
      'src/server.ts': `import { a } from './a.js'; console.log(a);`,
      'src/a.ts': `export const a: number = 1;`,
    });
    await bench.build();
    const good = outputOf(bench);
    write(bench.root, {
      'src/server.ts': `import { a } from './a.js'; import { b } from './b.js'; console.log(a, b);`,
      'src/b.ts': `export const b = ;`,
      'src/a.ts': `export const a: number = (1;`,
    });
    const { reason, text } = await failure(bench);
    expect(reason).toBe('2 errors');
    expect(text).toContain('src/b.ts:1:17');
    expect(text).toContain('src/a.ts:1:');
    expect(text).not.toContain('\u001b');
    expect(bench.output()).toBe(text);
    expect(outputOf(bench)).toBe(good);
    expect(await bench.run()).toEqual({ code: 0, stdout: '1\n', stderr: '' });
    const names = ['package.json', 'src/a.ts', 'src/b.ts', 'src/server.ts'];
    expect([...bench.builder.inputs].sort()).toEqual(names.map((name) => join(bench.root, name)));
    write(bench.root, { 'src/a.ts': 'export const a = 2', 'src/b.ts': 'export const b = 3' });
    await bench.build();
    expect((await bench.run()).stdout).toBe('2 3\n');
  });

  test('for want of a file knows where it was looked for', async () => {
    const bench = entryBench('server.ts', { ...PACKAGES, 'server.ts': `import './tools/new.js';` });
    expect(await failure(bench)).toMatchObject({
      reason: '1 error',
      text: expect.stringContaining('Could not resolve "./tools/new.js"'),
    });
    expect(bench.builder.inputs).toContain(join(bench.root, 'tools/new.js'));
    write(bench.root, { 'tools/new.ts': `console.log('new')` });
    await bench.build();
    expect((await bench.run()).stdout).toBe('new\n');
    expect(bench.builder.inputs).not.toContain(join(bench.root, 'tools/new.js'));
  });

  test('can be one of an entry that is not there', async () => {
    const bench = entryBench('server.ts', PACKAGES);
    expect((await failure(bench)).text).toContain('server.ts');
    expect(bench.builder.inputs).toContain(join(bench.root, 'server.ts'));
    write(bench.root, { 'server.ts': `console.log('there')` });
    await bench.build();
    expect((await bench.run()).stdout).toBe('there\n');
  });

  test('shows the first errors of many', async () => {
    const lines = Array.from({ length: 60 }, (_, n) => `import './no-${n}.js';`);
    const bench = entryBench('server.ts', { ...PACKAGES, 'server.ts': lines.join('\n') });
    const { reason, text } = await failure(bench);
    expect(reason).toMatch(/^\d+ errors$/);
    expect(text).toContain('no-0.js');
    expect(text.length).toBeLessThanOrEqual(16 * 1024);
  });
});

test('warnings go to the output', async () => {
  const bench = entryBench('server.ts', { ...PACKAGES, 'server.ts': `console.log({ a: 1, a: 2 });` });
  await bench.build();
  expect(bench.output()).toMatch(/WARNING.*\n\s*server\.ts:1:/);
});

test('what decides about the module system may change between builds', async () => {
  const bench = entryBench('server.ts', {
    ...PACKAGES,
    'package.json': '{}',
    'server.ts': `console.log(typeof module)`,
  });
  await bench.build();
  expect((await bench.run()).stdout).toBe('object\n');
  write(bench.root, { 'server.ts': `export {}; console.log(typeof module)` });
  await bench.build();
  expect((await bench.run()).stdout).toBe('undefined\n');
  write(bench.root, { 'package.json': '{ "type": "commonjs" }' });
  await bench.build();
  expect((await bench.run()).stdout).toBe('object\n');
});

describe('abort', () => {
  test('leaves everything as it was', async () => {
    const bench = entryBench('server.ts', { ...PACKAGES, 'server.ts': `console.log(1)` });
    await bench.build();
    const good = outputOf(bench);
    write(bench.root, { 'server.ts': `import './more.js'; console.log(2)`, 'more.ts': 'export {}' });
    const abort = new AbortController();
    const build = bench.builder.build(abort.signal);
    abort.abort();
    expect(await build).toMatchObject({ outcome: 'aborted' });
    expect(await bench.builder.build(AbortSignal.abort())).toMatchObject({ outcome: 'aborted' });
    expect(outputOf(bench)).toBe(good);
    expect(bench.output()).toBe('');
    await bench.build();
    expect((await bench.run()).stdout).toBe('2\n');
  });

  test('comes in time for a build that is under way', async () => {
    const files: Record<string, string> = { ...PACKAGES };
    const count = 300;
    for (let n = 0; n < count; n += 1) files[`m${n}.ts`] = `export const v${n}: number = ${n};`;
    const imports = Array.from({ length: count }, (_, n) => `import { v${n} } from './m${n}.js';`);
    const sum = Array.from({ length: count }, (_, n) => `v${n}`).join('+');
    files['server.ts'] = `${imports.join('\n')}\nconsole.log(${sum});`;
    const bench = entryBench('server.ts', files);
    const abort = new AbortController();
    const build = bench.builder.build(abort.signal);
    // It has begun to read when there is a place for its output.
    await until(() => existsSync(join(bench.root, 'node_modules/.cache/mcp-dev')), 'the start of the build');
    abort.abort();
    expect(await build).toMatchObject({ outcome: 'aborted' });
    await bench.build();
    expect((await bench.run()).stdout).toBe(`${(count * (count - 1)) / 2}\n`);
  });
});

describe('outputs', () => {
  test('lie beside the packages, each under a name of its own, the last five', async () => {
    const bench = entryBench('src/server.ts', { ...PACKAGES, 'src/server.ts': '' });
    const outputs: string[] = [];
    for (let n = 1; n <= 7; n += 1) {
      write(bench.root, { 'src/server.ts': `console.log(${n})` });
      await bench.build();
      outputs.push(outputOf(bench));
    }
    const place = dirname(outputs[0]!);
    expect(dirname(place)).toBe(join(bench.root, 'node_modules/.cache/mcp-dev'));
    const kept = outputs.slice(-5).flatMap((path) => [path, `${path}.map`]);
    expect(
      readdirSync(place)
        .map((name) => join(place, name))
        .sort(),
    ).toEqual(kept.sort());
    expect((await bench.run()).stdout).toBe('7\n');
    await bench.builder.close();
    expect(readdirSync(place)).toEqual([]);
  });

  test('of two builders of one entry do not mix', async () => {
    const bench = entryBench('server.ts', { ...PACKAGES, 'server.ts': `console.log(1)` });
    const other = entryBuilder({ entry: join(bench.root, 'server.ts'), onOutput: () => {} });
    onTestFinished(() => other.close());
    const outcomes = await Promise.all([bench.builder.build(NEVER), other.build(NEVER)]);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['built', 'built']);
    expect(other.args).not.toEqual(bench.builder.args);
    await other.close();
    expect((await bench.run()).stdout).toBe('1\n');
    // The one that closed did not take esbuild away from the other.
    write(bench.root, { 'server.ts': `console.log(2)` });
    await bench.build();
    expect((await bench.run()).stdout).toBe('2\n');
  });

  test('that were left by a process that is gone are removed, those of a living one are not', async () => {
    const bench = entryBench('server.ts', { ...PACKAGES, 'server.ts': `console.log(1)` });
    await bench.build();
    const place = dirname(outputOf(bench));
    const gone = spawnSync(process.execPath, ['-e', '']).pid;
    const names = [`server-${gone}-0123abcd-1.mjs`, `server-${gone}-0123abcd-1.mjs.map`, 'notes.txt'];
    const living = `server-${process.ppid}-0123abcd-1.mjs`;
    write(place, Object.fromEntries([...names, living].map((name) => [name, ''])));
    const other = entryBuilder({ entry: join(bench.root, 'server.ts'), onOutput: () => {} });
    onTestFinished(() => other.close());
    await other.build(NEVER);
    const left = readdirSync(place);
    expect(left).toContain('notes.txt');
    expect(left).toContain(living);
    expect(left.filter((name) => name.includes(`-${gone}-`))).toEqual([]);
    expect((await bench.run()).stdout).toBe('1\n');
  });

  test('without a node_modules folder lie in a private one that goes with the builder', async () => {
    const bench = entryBench('server.mts', { 'server.mts': `console.log(1)` });
    await bench.build();
    const place = dirname(outputOf(bench));
    expect(statSync(place).mode & 0o777).toBe(0o700);
    expect((await bench.run()).stdout).toBe('1\n');
    await bench.builder.close();
    expect(existsSync(place)).toBe(false);
  });

  test('are written again after all of node_modules was removed', async () => {
    const bench = entryBench('server.ts', { ...PACKAGES, 'server.ts': `console.log(1)` });
    await bench.build();
    rmSync(join(bench.root, 'node_modules'), { recursive: true });
    await bench.build();
    expect((await bench.run()).stdout).toBe('1\n');
  });

  test('that can’t be written are a failure, and the next build is another try', async () => {
    const bench = entryBench('server.ts', { ...PACKAGES, 'server.ts': `console.log(1)` });
    await bench.build();
    const place = dirname(outputOf(bench));
    renameSync(place, `${place}-away`);
    write(dirname(place), { [place.slice(dirname(place).length + 1)]: 'a file in its place' });
    expect(await failure(bench)).toMatchObject({
      reason: expect.stringMatching(/^cannot build: (?:ENOTDIR|EEXIST)/),
    });
    rmSync(place);
    renameSync(`${place}-away`, place);
    await bench.build();
  });
});

describe('esbuild’s process', () => {
  /** The children of this process that are esbuild. */
  function services(): number[] {
    const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' });
    const rows = [...stdout.matchAll(/^ *(\d+) +(\d+) .*esbuild.*--service/gm)];
    return rows.filter(([, , parent]) => Number(parent) === process.pid).map(([, pid]) => Number(pid));
  }

  test('is replaced when it was killed', async () => {
    const bench = entryBench('server.ts', { ...PACKAGES, 'server.ts': `console.log(1)` });
    await bench.build();
    const [service] = services();
    process.kill(service!, 'SIGKILL');
    await until(() => alive(service!).length === 0, 'its end');
    write(bench.root, { 'server.ts': `console.log(2)` });
    await bench.build();
    expect((await bench.run()).stdout).toBe('2\n');
  });

  test('ends with the last builder', async () => {
    const bench = entryBench('server.ts', { ...PACKAGES, 'server.ts': `console.log(1)` });
    await bench.build();
    expect(services()).toHaveLength(1);
    await bench.builder.close();
    expect(services()).toEqual([]);
  });

  test('is gone when its last user has left', async () => {
    const esbuild = await useEsbuild();
    await esbuild.transform('');
    const started = services();
    expect(started).toHaveLength(1);
    await leaveEsbuild(esbuild);
    expect(alive(...started)).toEqual([]);
  });

  test('ends by killNow', async () => {
    const bench = entryBench('server.ts', { ...PACKAGES, 'server.ts': `console.log(1)` });
    await bench.build();
    bench.builder.killNow();
    await until(() => services().length === 0, 'its end');
  });
});
