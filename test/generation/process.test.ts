import { chmodSync } from 'node:fs';
import { expect, test } from 'vitest';
import { describeExit } from '../../src/generation/exit.ts';
import { alive } from '../kit/processes.ts';
import { tempProject } from '../kit/temp-project.ts';
import { until } from '../kit/wait.ts';
import { record, recordNode, recordPuppet } from './record.ts';

const exited = (code: number | null, signal: NodeJS.Signals | null = null) => ({
  kind: 'exited',
  code,
  signal,
});

test('bytes go in and come out as they are, and the exit is the last event', async () => {
  const server = recordNode(`process.stdin.pipe(process.stdout); process.stderr.write('ready\\n')`);
  expect(server.process.write('grüße\n')).toBe(true);
  expect(server.process.write(Buffer.from([0xc3, 0x28, 10]))).toBe(true);
  await until(() => server.stdout().length === 11, 'everything came back');
  const stopped = server.process.stop({ stdinGraceMs: 10_000, signal: 'SIGTERM', killAfterMs: 20_000 });
  expect(await server.exit()).toEqual(exited(0));
  expect(await stopped).toEqual(exited(0));
  expect(server.stdout()).toEqual(Buffer.concat([Buffer.from('grüße\n'), Buffer.from([0xc3, 0x28, 10])]));
  expect(server.stderr().toString()).toBe('ready\n');
  expect(server.log.all.slice(-2)).toEqual(['stdout end', 'exit']);
});

test('arguments, folder and variables arrive as they are, without a shell', async () => {
  const { folder } = tempProject();
  const program = 'console.log(JSON.stringify([process.argv.slice(1), process.cwd(), process.env.A]))';
  const args = ['-e', program, '$HOME', '*', 'a b', ''];
  const server = record({ command: process.execPath, args, cwd: folder, env: { A: '"$A"' } });
  expect(await server.exit()).toEqual(exited(0));
  expect(JSON.parse(server.stdout().toString())).toEqual([['$HOME', '*', 'a b', ''], folder, '"$A"']);
});

test('a crash is an exit with its code or signal', async () => {
  expect(await recordNode('process.exit(3)').exit()).toEqual(exited(3));
  expect(await recordNode(`process.kill(process.pid, 'SIGSEGV')`).exit()).toEqual(exited(null, 'SIGSEGV'));
});

test('what cannot be started is an exit with a sentence, and takes writes and a stop', async () => {
  const project = tempProject({ file: '', 'no-interpreter': '#!/no/such/program\n' });
  chmodSync(project.path('no-interpreter'), 0o755);
  const cases = [
    [{ command: 'no-such-command' }, 'command not found: no-such-command'],
    [{ command: './no-such-file' }, 'command not found: ./no-such-file'],
    [{ command: './file' }, 'not executable: ./file'],
    [{ command: './no-interpreter' }, /^cannot start .\/no-interpreter: the interpreter .* does not exist$/],
    [{ command: 'node', cwd: project.path('gone') }, `the folder ${project.path('gone')} does not exist`],
    [{ command: 'node', cwd: project.path('file') }, `${project.path('file')} is not a folder`],
    [{ command: 'node', args: ['a\0b'] }, /^cannot start node: .*null bytes/],
    [{ command: 'node', args: ['x'.repeat(4_000_000)] }, /^cannot start node: .*E2BIG/],
  ] as const;
  for (const [launch, message] of cases) {
    const server = record({ cwd: project.folder, ...launch });
    expect(server.log.all).toEqual([]);
    expect(server.process.pid).toBeUndefined();
    expect(server.process.write('x')).toBe(true);
    const stopped = await server.process.stop({ stdinGraceMs: 0, signal: 'SIGTERM', killAfterMs: 0 });
    expect(await server.exit()).toEqual(stopped);
    expect(stopped).toEqual({ kind: 'not-started', message: expect.stringMatching(message) });
    expect(server.log.all).toEqual(['exit']);
  }
});

test('an exit in words', () => {
  expect(describeExit({ kind: 'exited', code: 1, signal: null })).toBe('exit code 1');
  expect(describeExit({ kind: 'exited', code: null, signal: 'SIGSEGV' })).toBe('SIGSEGV');
  expect(describeExit({ kind: 'not-started', message: 'command not found: foo' })).toBe(
    'command not found: foo',
  );
});

test('output that is larger than any buffer is complete before the exit', async () => {
  const server = recordNode(`process.stdout.write('x'.repeat(5e6)); process.stderr.write('y'.repeat(3e6))`);
  await server.exit();
  expect([server.stdout().length, server.stderr().length]).toEqual([5e6, 3e6]);
  expect(server.log.all.at(-1)).toBe('exit');
});

test('paused output waits in the pipe, beyond the exit too, and holds back the news of it', async () => {
  const server = recordNode(`process.stdout.write('x'.repeat(50_000)); process.stderr.write('done')`);
  server.process.pauseOutput();
  const pid = server.process.pid ?? 0;
  await until(() => !alive(pid), 'the process has ended');
  // Well beyond the time that open pipes may delay the news.
  await recordNode('setTimeout(() => {}, 400)').exit();
  expect(server.log.all).toEqual(['stderr']);
  server.process.resumeOutput();
  expect(await server.exit()).toEqual(exited(0));
  expect(server.stdout().length).toBe(50_000);
  expect(server.log.all.slice(1)).toEqual(['stdout', 'stdout end', 'exit']);
});

test('a server that writes more than is taken has to wait', async () => {
  const server = recordNode(
    `const line = 'x'.repeat(65536); let n = 0; const fs = require('fs');
     process.stderr.write('0\\n'); for (;;) { fs.writeSync(1, line); fs.writeSync(2, ++n + '\\n'); }`,
  );
  const written = () => Number(server.stderr().toString().trim().split('\n').at(-1));
  server.process.pauseOutput();
  await until(() => written() > 0, 'it writes');
  let before = -1;
  await until(async () => {
    const now = written();
    const rests = now === before;
    before = now;
    await recordNode('').exit();
    return rests;
  }, 'it rests');
  expect(before).toBeLessThan(20);
  server.process.resumeOutput();
  await until(() => written() > 200, 'it goes on');
});

test('a server that does not read makes the writer wait, until it reads', async () => {
  const { process, puppet, log } = await recordPuppet();
  await puppet.do({ do: 'stop-reading' });
  const line = `${JSON.stringify({ jsonrpc: '2.0', method: 'x', params: { text: 'x'.repeat(50_000) } })}\n`;
  const answers: boolean[] = [];
  do answers.push(process.write(line));
  while (answers.at(-1) && answers.length < 1000);
  expect(answers.at(-1)).toBe(false);
  expect(log.all).not.toContain('drain');
  await puppet.do({ do: 'resume-reading' });
  await log.find((event) => event === 'drain', 'drain');
  await puppet.received(() => puppet.messages.length === answers.length);
});

test('writing to a server that closed its stdin or has ended is no error, and nobody waits for it', async () => {
  const { process, puppet, log, exit } = await recordPuppet();
  await puppet.do({ do: 'stop-reading' });
  while (process.write('x'.repeat(100_000)));
  await puppet.do({ do: 'close-stdin' });
  await log.find((event) => event === 'drain', 'drain');
  await log.find((event) => event === 'stdin closed', 'stdin closed');
  await until(() => process.write('x'.repeat(100_000)), 'writes are dropped');
  await puppet.do({ do: 'exit', code: 0 });
  await exit();
  expect(process.write('too late')).toBe(true);
});

test('the end of stdout is told while the server lives on', async () => {
  const { puppet, log, process } = await recordPuppet();
  await puppet.do({ do: 'write', line: 'last\n' });
  await puppet.do({ do: 'close-stdout' });
  await log.find((event) => event === 'stdout end', 'stdout end');
  expect(log.all).toEqual(['stdout', 'stdout end']);
  expect(alive(process.pid ?? 0)).toBe(true);
});

test('a helper that keeps the pipes open delays the news of the exit only a moment', async () => {
  const { puppet, exit, stdout, log } = await recordPuppet();
  // One that nobody can find, so that the pipes stay open whatever is done about left-overs.
  const helper = await puppet.fork('double', { pipes: true, bare: true });
  await puppet.do({ do: 'write', line: 'x'.repeat(100_000) });
  await puppet.do({ do: 'exit', code: 4 });
  // A busy moment: what is in the pipe by then must not be lost to the timer.
  const busyUntil = performance.now() + 300;
  while (performance.now() < busyUntil);
  expect(await exit()).toEqual(exited(4));
  expect(alive(helper)).toBe(true);
  expect(stdout().length).toBe(100_000);
  expect(log.all.slice(-2)).toEqual(['stdout end', 'exit']);
});
