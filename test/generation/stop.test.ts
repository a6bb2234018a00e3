import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type StopPolicy, sessionEndPolicy, swapPolicy } from '../../src/generation/stop.ts';
import { alive } from '../kit/processes.ts';
import { tempProject } from '../kit/temp-project.ts';
import { until } from '../kit/wait.ts';
import { record, recordNode, recordPuppet } from './record.ts';

const exited = (code: number | null, signal: NodeJS.Signals | null = null) => ({
  kind: 'exited',
  code,
  signal,
});
const policy = (
  stdinGraceMs: number,
  killAfterMs: number,
  signal: NodeJS.Signals = 'SIGTERM',
): StopPolicy => ({
  stdinGraceMs,
  signal,
  killAfterMs,
});
/** Times that no test waits for: if they were, its own limit would end it. */
const PATIENT = policy(100_000, 200_000);
const DEAF = { ignoreStdinEnd: true, ignoreSignals: ['SIGTERM', 'SIGINT'] };

test('the times of a swap and of the end of a session', () => {
  expect(swapPolicy('SIGINT', 5000)).toEqual({ stdinGraceMs: 500, signal: 'SIGINT', killAfterMs: 5500 });
  expect(sessionEndPolicy('SIGTERM', 'client-closed')).toEqual(policy(250, 1500));
  expect(sessionEndPolicy('SIGTERM', 'sigterm')).toEqual(policy(250, 500));
});

test('a server that ends at the end of its stdin gets no signal', async () => {
  const { process, puppet } = await recordPuppet();
  expect(await process.stop(PATIENT)).toEqual(exited(0));
  await puppet.gone;
  expect(puppet.events.all.map(({ event }) => event)).toEqual(['started', 'stdin-end']);
});

test('everything that was written before the stop still arrives', async () => {
  const server = recordNode(
    `let n = 0; process.stdin.on('data', c => n += c.length).on('end', () => console.log(n))`,
  );
  while (server.process.write('x'.repeat(100_000)));
  server.process.write('x'.repeat(100_000));
  await server.process.stop(PATIENT);
  await server.exit();
  expect(Number(server.stdout())).toBeGreaterThanOrEqual(200_000);
});

test('after the grace the signal, and only that while the server obeys it', async () => {
  const { process, puppet } = await recordPuppet({ ignoreStdinEnd: true });
  expect(await process.stop(policy(50, 100_000, 'SIGINT'))).toEqual(exited(null, 'SIGINT'));
  await puppet.gone;
  expect(puppet.events.all.map(({ event, name }) => name ?? event)).toEqual([
    'started',
    'stdin-end',
    'SIGINT',
  ]);
});

test('a server that ignores both is killed', async () => {
  const { process, puppet } = await recordPuppet(DEAF);
  const stopped = process.stop(policy(50, 500));
  await puppet.event('stdin-end');
  expect(await stopped).toEqual(exited(null, 'SIGKILL'));
});

test('a stop is asked for as often as one likes', async () => {
  const { process, exit } = await recordPuppet();
  const stops = [process.stop(PATIENT), process.stop(PATIENT), process.stop(policy(0, 100_000))];
  const exits = await Promise.all(stops);
  expect(new Set(exits.map((one) => JSON.stringify(one))).size).toBe(1);
  expect(await exit()).toEqual(exits[0]);
  expect(await process.stop(policy(0, 0))).toEqual(exits[0]);
  process.killNow();
});

test('a more urgent stop overtakes the one that waits, a less urgent one does not slow it', async () => {
  const waiting = await recordPuppet(DEAF);
  const patient = waiting.process.stop(PATIENT);
  await waiting.puppet.event('stdin-end');
  void waiting.process.stop(policy(0, 100_000));
  await waiting.puppet.event('signal');
  void waiting.process.stop(PATIENT);
  void waiting.process.stop(policy(0, 0));
  expect(await patient).toEqual(exited(null, 'SIGKILL'));
});

const places = [
  { kind: 'group', bare: true },
  { kind: 'setsid', bare: false },
  { kind: 'setsid', bare: true },
  { kind: 'double', bare: false },
] as const;

test('a stop ends what the server started, wherever it went', async () => {
  const { process, puppet } = await recordPuppet();
  const mild: number[] = [];
  const stubborn: number[] = [];
  for (const { kind, bare } of places) {
    mild.push(await puppet.fork(kind, { bare }));
    stubborn.push(await puppet.fork(kind, { bare, stubborn: true }));
  }
  const stopped = process.stop(PATIENT);
  await puppet.gone;
  await until(() => !mild.some(alive), 'the signal has ended those that obey it');
  expect(stubborn.every(alive)).toBe(true);
  void process.stop(policy(0, 0));
  expect(await stopped).toEqual(exited(0));
  expect(stubborn.some(alive)).toBe(false);
});

test('a server that crashes takes with it what it started', async () => {
  const { process, puppet, exit } = await recordPuppet();
  const helpers: number[] = [];
  // One with an empty environment that left the group can't be known once its parent is gone.
  for (const { kind, bare } of places.filter((place) => place.kind === 'group' || !place.bare)) {
    helpers.push(await puppet.fork(kind, { bare }));
    helpers.push(await puppet.fork(kind, { bare, stubborn: true }));
  }
  await puppet.do({ do: 'crash', signal: 'SIGKILL' });
  expect(await exit()).toEqual(exited(null, 'SIGKILL'));
  await until(() => !helpers.some(alive), 'the helpers have ended unasked');
  expect(await process.stop(PATIENT)).toEqual(exited(null, 'SIGKILL'));
});

test('a stop after a crash resolves when the left-overs are gone, and can hurry them', async () => {
  const { process, puppet, exit } = await recordPuppet();
  const stubborn = await puppet.fork('group', { stubborn: true });
  await puppet.do({ do: 'crash' });
  await exit();
  await process.stop(policy(0, 0));
  expect(alive(stubborn)).toBe(false);
});

test('killNow ends everything in its own call', async () => {
  const { process, puppet } = await recordPuppet(DEAF);
  const helpers = [
    await puppet.fork('group', { stubborn: true }),
    await puppet.fork('setsid', { stubborn: true, bare: true }),
    await puppet.fork('double', { stubborn: true }),
  ];
  process.killNow();
  // The event loop gets no turn, so whatever dies now died of that call.
  const deadline = performance.now() + 10_000;
  while ([puppet.pid, ...helpers].some(alive)) expect(performance.now()).toBeLessThan(deadline);
});

test('other generations and their helpers are not touched', async () => {
  const [one, other] = [await recordPuppet(), await recordPuppet()];
  const helpers = [
    await other.puppet.fork('group'),
    await other.puppet.fork('setsid'),
    await other.puppet.fork('double'),
  ];
  await one.puppet.fork('double');
  await one.process.stop(policy(0, 0));
  await other.puppet.caughtUp();
  expect(helpers.map(alive)).toEqual([true, true, true]);
  expect(other.log.all).toEqual([]);
  expect(other.puppet.events.all.map(({ event }) => event)).not.toContain('signal');
});

test('what a server starts to clean up after itself may finish', async () => {
  const project = tempProject();
  const program = `
    const { spawn } = require('node:child_process');
    setInterval(() => {}, 1e6);
    process.on('SIGTERM', () => {
      const child = spawn('/bin/sh', ['-c', 'echo cleaning >&2; sleep 0.5; touch cleaned'], { stdio: 'inherit', detached: true });
      child.on('exit', () => process.exit(0));
    });
    console.log('up');`;
  const server = record({ command: process.execPath, args: ['-e', program], cwd: project.folder });
  await server.log.find((event) => event === 'stdout', 'stdout');
  const stopped = server.process.stop(policy(0, 100_000));
  await server.log.find((event) => event === 'stderr', 'stderr');
  // This one makes the sequence look around again while the clean-up runs.
  void server.process.stop(policy(0, 90_000));
  expect(await stopped).toEqual(exited(0));
  expect(existsSync(project.path('cleaned'))).toBe(true);
});
