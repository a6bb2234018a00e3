import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { processesOf } from '../kit/processes.ts';
import { until } from '../kit/wait.ts';
import { Dev, GATED_BUILD } from './dev.ts';

test('the build runs before the first start and before each swap, while the old generation serves', async () => {
  const dev = await Dev.connect({ args: ['--build', `echo built >> log.txt; ${GATED_BUILD}`] });
  await dev.tookOver(1);
  await dev.saveAndBuild();
  dev.client.send({ jsonrpc: '2.0', id: 'ping', method: 'ping' });
  await dev.client.response('ping');
  await (await dev.puppet(1)).received('ping');
  dev.openGate();
  await dev.tookOver(2);
  expect(readFileSync(dev.project.path('log.txt'), 'utf8')).toBe('built\nbuilt\n');
});

test('a failed build leaves the old generation alone and shows what the compiler said', async () => {
  const dev = await Dev.connect({
    args: ['--build', 'cat src/compiler.js >&2; exit $(cat src/code.js)'],
    files: { 'src/compiler.js': '', 'src/code.js': '0' },
  });
  await dev.tookOver(1);
  dev.project.write('src/compiler.js', 'a.ts(1,1): error TS1005: expected\n');
  await dev.tookOver(2);
  dev.project.write('src/code.js', '2');
  await dev.client.stderrLine(
    /^mcp-dev the build failed \(exit code 2\) \(src\/code\.js\); generation 2 goes on/,
  );
  await dev.client.stderrLine(/error TS1005/);
  expect(await dev.serving()).toBe(2);
  dev.project.write('src/code.js', '0');
  await dev.tookOver(3);
  expect(await dev.serving()).toBe(3);
  await dev.expectStarted(3);
  // Only the failed one was shown.
  expect(dev.client.stderr.all.filter((line) => line.includes('TS1005'))).toHaveLength(1);
});

test('a newer save ends a running build with its whole process tree', async () => {
  const dev = await Dev.connect({
    args: ['--build', 'if [ -e wait ]; then BUILD_MARK=1 sh -c "sleep 300 & sleep 300" ; fi'],
  });
  await dev.tookOver(1);
  dev.project.write('wait', '');
  dev.save();
  const sleeping = await until(() => {
    const pids = processesOf('BUILD_MARK=1').filter(
      (pid) => readlinkSync(`/proc/${pid}/cwd`) === dev.project.folder,
    );
    return pids.length >= 3 ? pids : undefined;
  }, 'the build is asleep');
  dev.project.remove('wait');
  dev.save('src/b.js');
  expect(await dev.tookOver(2)).toMatch(/\(src\/a\.js, src\/b\.js;/);
  expect(sleeping.filter((pid) => processesOf('BUILD_MARK=1').includes(pid))).toEqual([]);
});

test('a save during a slow build is not lost, and requests wait for it', async () => {
  const dev = await Dev.connect({ args: ['--build', `cp src/a.js built.txt; ${GATED_BUILD}`] });
  await dev.tookOver(1);
  await dev.saveAndBuild('src/a.js', 'one');
  const call = dev.serving();
  dev.project.write('src/a.js', 'two');
  await until(() => readFileSync(dev.project.path('built.txt'), 'utf8') === 'two', 'it is built again');
  dev.openGate();
  expect(await call).toBe(2);
  await dev.expectStarted(2);
});

test('a build that rewrites a watched file does not go round and round, and the file is named', async () => {
  const dev = await Dev.connect({ args: ['--build', 'date +%s%N > src/generated.js'] });
  await dev.client.stderrLine(/^mcp-dev reloads keep changing src\/generated\.js:/);
  const before = await until(async () => {
    const serving = await dev.serving();
    return serving === dev.started ? serving : undefined;
  }, 'the newest process serves');
  expect((await dev.reload(before + 1)).started.generation).toBe(String(before + 1));
  // What a person saves there still counts.
  await dev.reload(before + 2, 'src/generated.js');
  await dev.reload(before + 3);
});

test('an empty build command builds nothing', async () => {
  const dev = await Dev.connect({
    args: ['--build', ''],
    files: { 'package.json': '{"name":"x","type":"module","scripts":{"build":"touch built"}}' },
  });
  await dev.tookOver(1);
  await dev.reload(2);
  expect(existsSync(dev.project.path('built'))).toBe(false);
});

test('a build that cannot even start is a failed build', async () => {
  const dev = await Dev.start({ args: ['--build', 'no-such-compiler --all'] });
  await dev.client.initialize();
  await dev.client.stderrLine(/the build failed \(exit code 127\)/);
  await dev.client.stderrLine(/no-such-compiler.*not found/);
  expect(dev.started).toBe(0);
});
