import { chmodSync, readdirSync, readFileSync, utimesSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Dev } from './dev.ts';

test('each of four atomic saves of one file is served', async () => {
  const dev = await Dev.connect();
  await dev.tookOver(1);
  for (const generation of [2, 3, 4, 5]) {
    dev.project.atomicWrite('src/a.js', `atomic ${generation}`);
    expect(await dev.tookOver(generation)).toContain('(src/a.js;');
  }
  expect(await dev.serving()).toBe(5);
});

test('touch, chmod and an identical rewrite are no changes', async () => {
  const dev = await Dev.connect();
  // From its own save on the content of the file is known.
  await dev.reload(2);
  const file = dev.project.path('src/a.js');
  const content = readFileSync(file, 'utf8');
  utimesSync(file, new Date(), new Date());
  chmodSync(file, 0o600);
  dev.project.write('src/a.js', content);
  dev.project.atomicWrite('src/a.js', content);
  dev.save('src/b.js');
  expect(await dev.tookOver(3)).toContain('(src/b.js;');
  await dev.reload(4);
  await dev.expectStarted(4);
});

test('a storm of 300 files over two seconds is at most three reloads, the last with everything', async () => {
  const dev = await Dev.connect();
  await dev.tookOver(1);
  const began = performance.now();
  for (let n = 0; n < 300; n++) {
    dev.project.write(`src/storm/${n}.js`, `${n}`);
    if (n % 3 === 2) await delay(20);
  }
  // A batch waits one second at most, and on a busy machine the storm is longer than it should be.
  const most = Math.max(3, Math.ceil((performance.now() - began) / 1000) + 1);
  dev.saveServer({ moreTools: [{ name: 'the-last', inputSchema: { type: 'object' } }] });
  await dev.client.stderrLine(/: \+tool the-last$/);
  const reloads = () => dev.client.stderr.all.filter((line) => line.includes('took over')).length;
  expect(reloads()).toBeLessThanOrEqual(most);
  const before = reloads();
  await dev.reload(dev.started + 1);
  expect(reloads()).toBe(before + 1);
});

test('a save during the start of a candidate is not lost', async () => {
  const dev = await Dev.connect();
  dev.saveServer({ hold: [{ method: 'initialize' }] });
  const candidate = await dev.puppet(2);
  await candidate.event('held');
  dev.saveServer({ instructions: 'the newest' });
  expect(await dev.tookOver(3)).toContain('(puppet.json;');
  await candidate.gone;
  expect(await dev.serving()).toBe(3);
});

test('a save during the first start is not lost', async () => {
  const dev = await Dev.start({ puppet: { hold: [{ method: 'initialize' }] } });
  const shaken = dev.client.initialize();
  const first = await dev.puppet(1);
  await first.event('held');
  dev.saveServer({ instructions: 'the newest' });
  await first.do({ do: 'release' });
  await shaken;
  await dev.tookOver(2);
  expect(await dev.serving()).toBe(2);
});

test('in a big tree the session answers at once, and a save right after that is not lost', async () => {
  const files = Array.from({ length: 3000 }, (_, index) => [`src/${index % 100}/${index}.js`, '0'] as const);
  const dev = await Dev.start({ files: Object.fromEntries(files) });
  await dev.client.initialize();
  // Long before all of these files are noted.
  dev.save('src/99/2999.js');
  expect(await dev.tookOver(2)).toContain('(src/99/2999.js;');
  await dev.reload(3, 'src/0/0.js');
});

test('new files, moved and removed ones, and whole new folders are changes', async () => {
  const dev = await Dev.connect();
  await dev.tookOver(1);
  await dev.reload(2, 'src/new.js');
  await dev.reload(3, 'src/deep/er/new.js');
  await dev.reload(4, 'src/deep/er/new.js');
  dev.project.remove('src/new.js');
  expect(await dev.tookOver(5)).toContain('(src/new.js;');
  expect(readdirSync(dev.project.path('src')).sort()).toEqual(['a.js', 'b.js', 'deep']);
});

test('what is ignored, and what is no source, starts nothing', async () => {
  const dev = await Dev.connect({ args: ['--ignore', 'skip'], files: { '.gitignore': 'out\n' } });
  await dev.tookOver(1);
  for (const name of ['out/x.js', 'skip/x.js', 'node_modules/x/x.js', 'src/notes.txt', 'src/.a.js.swp'])
    dev.save(name);
  dev.save('src/b.js');
  expect(await dev.tookOver(2)).toContain('(src/b.js;');
  await dev.reload(3);
  await dev.expectStarted(3);
});

test('with --watch nothing else counts', async () => {
  const dev = await Dev.connect({ args: ['--watch', 'src', '--watch', 'lib/*.txt'] });
  await dev.tookOver(1);
  dev.save('elsewhere.js');
  dev.save('lib/one.txt');
  expect(await dev.tookOver(2)).toContain('(lib/one.txt;');
  await dev.reload(3);
  await dev.expectStarted(3);
});

test('a polled project reloads too', async () => {
  const dev = await Dev.connect({ args: ['--poll', '50'] });
  await dev.tookOver(1);
  await dev.reload(2);
  await dev.reload(3, 'src/new.js');
});
