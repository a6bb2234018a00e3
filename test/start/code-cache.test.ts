import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { loadModule } from '../../src/start/code-cache.ts';
import { Dev } from '../e2e/dev.ts';
import { type TempProject, tempProject } from '../kit/temp-project.ts';
import { until } from '../kit/wait.ts';

let project: TempProject;

beforeEach(() => {
  project = tempProject({ 'main.cjs': moduleText("exports.answer = () => 'first';") });
  vi.stubEnv('XDG_CACHE_HOME', project.path('cache'));
  onTestFinished(() => void vi.unstubAllEnvs());
});

function moduleText(body: string): string {
  return `(function (exports, require, module, __filename, __dirname) {\n${body}\n})`;
}

let copies = 0;

/** From a file of a new name each time: V8 remembers what this very process has compiled from a file. */
function load(digest = 'one') {
  const copy = project.write(`main-${++copies}.cjs`, readFileSync(project.path('main.cjs'), 'utf8'));
  const loaded = loadModule(copy, digest);
  return { ...loaded, answer: (loaded.exports as { answer: () => unknown }).answer };
}

const kept = (): string[] => readdirSync(project.path('cache/mcp-dev/code'));

test('the code of an earlier load is taken by the next one', async () => {
  const first = load();
  expect(first.isFromCache).toBe(false);
  expect(first.answer()).toBe('first');
  await first.keepCode();
  expect(kept()).toEqual([expect.stringMatching(`^one-.*-${process.version}-${process.arch}$`)]);
  const second = load();
  expect(second.isFromCache).toBe(true);
  expect(second.answer()).toBe('first');
});

test('a module whose text is another one, of the same length, is not run with the old code', async () => {
  await load('one').keepCode();
  project.write('main.cjs', moduleText("exports.answer = () => 'other';"));
  const changed = load('two');
  expect(changed.isFromCache).toBe(false);
  expect(changed.answer()).toBe('other');
});

test('kept code that is broken is made again', async () => {
  await load().keepCode();
  const [name = ''] = kept();
  for (const broken of [
    '',
    'nonsense',
    readFileSync(project.path(`cache/mcp-dev/code/${name}`)).subarray(0, 50),
  ]) {
    project.write(`cache/mcp-dev/code/${name}`, broken.toString('latin1'));
    const again = load();
    expect(again.isFromCache).toBe(false);
    expect(again.answer()).toBe('first');
    await again.keepCode();
    expect(load().isFromCache).toBe(true);
  }
});

test('kept code of the right length that is broken inside is not run', async () => {
  await load().keepCode();
  const [name = ''] = kept();
  const whole = readFileSync(project.path(`cache/mcp-dev/code/${name}`));
  // What a file system may leave of it when the power fails: its length, and the first part of its content.
  for (const left of [0.25, 0.5, 0.75]) {
    const broken = Buffer.from(whole).fill(0, whole.length * left);
    writeFileSync(project.path(`cache/mcp-dev/code/${name}`), broken);
    const again = load();
    expect(again.isFromCache).toBe(false);
    expect(again.answer()).toBe('first');
  }
});

test.skipIf(process.platform === 'win32')(
  'nothing is taken from a folder that others may write to',
  async () => {
    await load().keepCode();
    chmodSync(project.path('cache/mcp-dev/code'), 0o777);
    expect(load().isFromCache).toBe(false);
    chmodSync(project.path('cache/mcp-dev/code'), 0o700);
    expect(load().isFromCache).toBe(true);
  },
);

test('where nothing can be kept the module is loaded all the same', async () => {
  vi.stubEnv('XDG_CACHE_HOME', project.write('file', ''));
  const loaded = load();
  await loaded.keepCode();
  expect(loaded.answer()).toBe('first');
});

test('what cannot be put into its place is not left beside it', async () => {
  await load().keepCode();
  const [name = ''] = kept();
  rmSync(project.path(`cache/mcp-dev/code/${name}`));
  mkdirSync(project.path(`cache/mcp-dev/code/${name}`));
  await load().keepCode();
  expect(kept()).toEqual([name]);
});

test('processes that give node other options keep their code beside one another', async () => {
  await load().keepCode();
  vi.stubEnv('NODE_OPTIONS', '--max-old-space-size=4096');
  const other = load();
  expect(other.isFromCache).toBe(false);
  await other.keepCode();
  expect(kept()).toHaveLength(2);
  expect(load().isFromCache).toBe(true);
});

test('of many versions the newest are kept', async () => {
  for (let version = 1; version <= 8; version++) {
    await load(`v${version}`).keepCode();
    const made = new Date(`2026-01-0${version}T00:00:00Z`);
    const name = kept().find((each) => each.startsWith(`v${version}-`));
    utimesSync(project.path(`cache/mcp-dev/code/${name}`), made, made);
  }
  await load('v9').keepCode();
  expect(
    kept()
      .map((name) => name.slice(0, 2))
      .sort(),
  ).toEqual(['v2', 'v3', 'v4', 'v5', 'v6', 'v7', 'v8', 'v9']);
});

test('what the module loads later may load it in turn, and finds the same one', () => {
  project.write('main.cjs', moduleText("exports.answer = () => require('./later.cjs')(__filename);"));
  project.write('later.cjs', 'module.exports = (file) => require(file);');
  const loaded = load();
  expect(loaded.answer()).toBe(loaded.exports);
});

test('the command keeps its code in one session, and works with it in the next', async () => {
  const dev = await Dev.connect({ env: { XDG_CACHE_HOME: project.path('cache') } });
  await dev.tookOver(1);
  await until(() => existsSync(project.path('cache/mcp-dev/code')) && kept().length === 1, 'code is kept');
  await dev.client.close();
  const again = await dev.another();
  expect(await again.initialize()).toHaveProperty('serverInfo');
  expect((await again.close()).code).toBe(0);
  expect(kept()).toHaveLength(1);
});
