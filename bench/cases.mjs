import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Connection, call, HELLO } from './connection.mjs';
import { median } from './median.mjs';
import { cpuMs, resident, settled } from './process-facts.mjs';

const WAYS = ['direct', 'pipe', 'mcpDev'];
/** The length of a small message and of its answer, newline included. */
const SMALL = 200;
/** So high that all ids have the same number of digits. */
const FIRST_ID = 1_000_000;

async function open(subject) {
  const connection = new Connection(subject);
  await connection.greet();
  await settled(connection.pid);
  return connection;
}

async function timed(connection, request, bytes) {
  const start = performance.now();
  const chunks = await connection.exchange(request, bytes);
  return { ms: performance.now() - start, chunks };
}

/** Runs `measure` for each way in turn, `rounds` times; gives the medians of all numbers it returned. */
async function interleaved(ways, rounds, measure) {
  const samples = Object.fromEntries(ways.map((way) => [way, []]));
  for (let round = 0; round < rounds; round++) {
    for (const way of ways) samples[way].push(await measure(way, round));
  }
  const middle = (list) =>
    Object.fromEntries(Object.keys(list[0]).map((key) => [key, median(list.map((sample) => sample[key]))]));
  return Object.fromEntries(ways.map((way) => [way, middle(samples[way])]));
}

/** Opens each way once, for all of the rounds of a case. */
async function withConnections(subjects, work) {
  const connections = {};
  for (const way of WAYS) connections[way] = await open(subjects[way]);
  const result = await work(connections);
  for (const way of WAYS) await connections[way].close();
  return result;
}

/**
 * Many requests written at once. A first round, which warms up, is not counted. CPU is summed over the rounds,
 * as the kernel's clock is a coarse one: µs of the started process for one round trip.
 */
export async function pipelined(subjects, { messages, rounds }) {
  const ids = Array.from({ length: messages }, (_, index) => FIRST_ID + index);
  const requests = Buffer.concat(ids.map((id) => call(id, SMALL, SMALL)));
  return await withConnections(subjects, async (connections) => {
    const run = async (way) => {
      const { ms, chunks } = await timed(connections[way], requests, messages * SMALL);
      checkAnswers(Buffer.concat(chunks), ids);
      return { ms };
    };
    await interleaved(WAYS, 1, run);
    const before = WAYS.map((way) => cpuMs(connections[way].pid));
    const result = await interleaved(WAYS, rounds, run);
    for (const [index, way] of WAYS.entries()) {
      const used = cpuMs(connections[way].pid) - before[index];
      result[way].cpuMicros = (used * 1000) / (rounds * messages);
    }
    return result;
  });
}

function checkAnswers(bytes, ids) {
  const lines = bytes.toString('latin1').split('\n');
  if (lines.pop() !== '' || lines.length !== ids.length) throw new Error(`${lines.length} lines came back`);
  for (const [index, id] of ids.entries()) {
    if (!lines[index].endsWith(`"id":${id}}`)) throw new Error(`the answer to ${id} is ${lines[index]}`);
  }
}

/** One request after the other; the median round trip in µs. */
export async function sequential(subjects, { messages, rounds }) {
  const request = call(FIRST_ID, SMALL, SMALL);
  return await withConnections(subjects, (connections) =>
    interleaved(WAYS, rounds, async (way) => {
      const times = [];
      for (let sent = 0; sent < messages; sent++) {
        times.push((await timed(connections[way], request, SMALL)).ms);
      }
      return { micros: median(times) * 1000 };
    }),
  );
}

/**
 * One long line from the server, through a fresh process each time: ms, and by how much the process grew beyond
 * its idle size at most, as a multiple of the line.
 */
export async function longLine(subjects, { bytes, rounds }) {
  return await interleaved(WAYS, rounds, async (way) => {
    const connection = await open(subjects[way]);
    const idle = resident(connection.pid, 'VmRSS');
    const { ms } = await timed(connection, call(FIRST_ID, bytes), bytes);
    const grown = (resident(connection.pid, 'VmHWM') - idle) / bytes;
    await connection.close();
    return { ms, grown };
  });
}

/**
 * From the start of a process to the first byte that comes back, in ms. `first` is a start of `mcp-dev` that finds no
 * code which an earlier one has kept.
 */
export async function firstByte(subjects, { rounds }) {
  await keepCode(subjects.mcpDev);
  const { mcpDev, folder } = subjects;
  return await interleaved(['node', ...WAYS, 'first'], rounds, async (way) => {
    const forgetful = {
      ...mcpDev,
      env: { ...mcpDev.env, XDG_CACHE_HOME: mkdtempSync(join(folder, 'cache-')) },
    };
    const subject = way === 'first' ? forgetful : subjects[way];
    const start = performance.now();
    const connection = new Connection(subject);
    await connection.exchange(HELLO, 1);
    const ms = performance.now() - start;
    await connection.close();
    return { ms };
  });
}

/** A session that is long enough to keep its code for those that follow. */
async function keepCode(subject) {
  const connection = new Connection(subject);
  await connection.exchange(HELLO, 1);
  const folder = join(subject.env.XDG_CACHE_HOME, 'mcp-dev', 'code');
  const isKept = () => existsSync(folder) && readdirSync(folder).some((name) => name.endsWith(process.arch));
  while (!isKept()) await setTimeout(50);
  await connection.close();
}
