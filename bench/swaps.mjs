import { spawnSync } from 'node:child_process';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { median } from './median.mjs';
import { settledFamily } from './process-facts.mjs';
import { Session } from './session.mjs';

const MCP_DEV = fileURLToPath(new URL('../bin/mcp-dev.cjs', import.meta.url));
/** Between two swaps: then a save counts as a single one, the generation before is gone, and the next one waits. */
const CALM_MS = 2700;
const ECHO_EVERY_MS = 5;
const ECHO_AROUND_MS = 200;
const STARTED = /^mcp-dev generation \d+ took over .*\bstart (\d+), all/;

/** Whether there is a process that waits to be the next generation, in this version. */
export function hasStandby() {
  const { stdout } = spawnSync(process.execPath, [MCP_DEV, '--help'], { encoding: 'utf8' });
  return stdout.includes('--standby');
}

/**
 * For each kind of server, medians in ms. `direct`: its own start, until it has listed its tools (`list`) and until it
 * has answered a call (`ms`). `restart`: from a save to the answer of the new tool, where the old process is ended and
 * the next one started. For each way of `standbys` the same through us, and `start`, the part of it from the start of
 * the next generation until it took over.
 */
export async function swaps(kinds, { folder, env, rounds, standbys }) {
  const results = {};
  for (const kind of kinds) {
    console.error(`swaps: ${kind.name}`);
    results[kind.name] = await swapsOf(kind, { folder: join(folder, kind.name), env, rounds, standbys });
  }
  return results;
}

async function swapsOf(kind, { folder, env, rounds, standbys }) {
  const projects = Object.fromEntries(
    ['direct', 'restart', ...standbys].map((way) => [way, new Project(kind, join(folder, way), env)]),
  );
  const restarted = kind.restart && (await Restarted.start(projects.restart));
  const reloaded = {};
  for (const way of standbys) reloaded[way] = await Reloaded.start(projects[way], way);
  const measures = [
    ['direct', () => coldStart(projects.direct)],
    ...(restarted ? [['restart', () => restarted.swap()]] : []),
    ...standbys.map((way) => [way, () => reloaded[way].swap()]),
  ];
  const samples = Object.fromEntries(measures.map(([name]) => [name, []]));
  // A first round warms up and is not counted.
  for (let round = 0; round <= rounds; round++) {
    await sleep(CALM_MS);
    for (const way of standbys) await reloaded[way].settled();
    // What comes first finds a machine that has rested: each in its turn.
    const first = round % measures.length;
    for (const [name, measure] of [...measures.slice(first), ...measures.slice(0, first)]) {
      const sample = await measure();
      if (round > 0) samples[name].push(sample);
    }
  }
  await restarted?.close();
  for (const way of standbys) await reloaded[way].close();
  return {
    goals: kind.goals,
    ...Object.fromEntries(Object.entries(samples).map(([name, all]) => [name, medians(all)])),
  };
}

function medians(samples) {
  return Object.fromEntries(
    Object.keys(samples[0]).map((key) => [key, median(samples.map((sample) => sample[key]))]),
  );
}

/**
 * A client that calls `echo` every 5 ms while a save is swapped in: its longest wait, and save → callable when it is
 * silent, medians in ms. Throws if an answer is lost or doubled, or if one of the old code follows one of the new.
 */
export async function echoes(kinds, { folder, env, rounds, standbys }) {
  const results = {};
  for (const kind of kinds) {
    console.error(`echoes: ${kind.name}`);
    results[kind.name] = {};
    for (const way of standbys) {
      const project = new Project(kind, join(folder, `${kind.name} echo ${way}`), env);
      const reloaded = await Reloaded.start(project, way);
      const waits = [];
      const silent = [];
      for (let round = 0; round <= rounds; round++) {
        await sleep(CALM_MS);
        await reloaded.settled();
        const { ms } = await reloaded.swap();
        await sleep(CALM_MS);
        await reloaded.settled();
        const wait = await reloaded.longestWait();
        if (round === 0) continue;
        silent.push(ms);
        waits.push(wait);
      }
      await reloaded.close();
      results[kind.name][way] = { wait: median(waits), ms: median(silent) };
    }
  }
  return results;
}

/** A server's sources, which are saved with another tool each time. */
class Project {
  #kind;
  #folder;
  #env;
  #saves = 0;

  constructor(kind, folder, env) {
    this.#kind = kind;
    this.#folder = folder;
    this.#env = env;
    kind.write(folder);
    this.save();
  }

  get kind() {
    return this.#kind;
  }

  get folder() {
    return this.#folder;
  }

  /** The name of the tool that the newest source has. */
  get newest() {
    return `tool_${this.#saves}`;
  }

  save() {
    this.#saves++;
    this.#kind.save(this.#folder, this.newest);
  }

  session([command, ...args], onStderr) {
    return new Session({ command, args, cwd: this.#folder, env: this.#env }, onStderr);
  }
}

async function coldStart(project) {
  const start = performance.now();
  const session = project.session(project.kind.direct);
  await session.greet();
  const list = performance.now() - start;
  await session.call('echo', { text: '' });
  const ms = performance.now() - start;
  await session.close();
  return { list, ms };
}

/** The plainest runner: at the first sign of a save the process is ended, and started again once it is gone. */
class Restarted {
  #project;
  #session;

  static async start(project) {
    const restarted = new Restarted();
    restarted.#project = project;
    restarted.#session = project.session(project.kind.restart);
    await restarted.#session.greet();
    return restarted;
  }

  async swap() {
    const project = this.#project;
    const saved = new Promise((resolve) => {
      const watcher = watch(project.folder, () => {
        watcher.close();
        resolve();
      });
    });
    const start = performance.now();
    project.save();
    await saved;
    await this.#session.kill();
    this.#session = project.session(project.kind.restart);
    await this.#session.greet();
    await this.#session.call(project.newest);
    return { ms: performance.now() - start };
  }

  async close() {
    await this.#session.close();
  }
}

/** The same project through us. */
class Reloaded {
  #project;
  #session;
  #startMs;

  static async start(project, standby) {
    const reloaded = new Reloaded();
    reloaded.#project = project;
    const options = hasStandby() ? ['--standby', standby] : [];
    reloaded.#session = project.session(
      [process.execPath, MCP_DEV, ...options, ...project.kind.through],
      (line) => {
        const start = STARTED.exec(line)?.[1];
        if (start !== undefined) reloaded.#startMs = Number(start);
      },
    );
    await reloaded.#session.greet();
    return reloaded;
  }

  async settled() {
    await settledFamily(this.#session.pid);
  }

  async swap() {
    const { newest, changed, start } = this.#save();
    await changed;
    await this.#session.call(newest());
    return { ms: performance.now() - start, start: await this.#started() };
  }

  async longestWait() {
    const answers = [];
    const calling = setInterval(() => {
      const sent = performance.now();
      const answer = this.#session.call('echo', { text: String(answers.length) });
      answers.push(answer.then((text) => ({ text, ms: performance.now() - sent })));
    }, ECHO_EVERY_MS);
    await sleep(ECHO_AROUND_MS);
    const { newest, changed } = this.#save();
    await changed;
    await sleep(ECHO_AROUND_MS);
    clearInterval(calling);
    const all = await Promise.all(answers);
    checkEchoes(all, newest());
    await this.#started();
    return Math.max(...all.map(({ ms }) => ms));
  }

  async close() {
    await this.#session.close();
  }

  #save() {
    const changed = this.#session.notification('notifications/tools/list_changed');
    const start = performance.now();
    this.#startMs = undefined;
    this.#project.save();
    return { changed, start, newest: () => this.#project.newest };
  }

  /** stderr may be a moment later than stdout. */
  async #started() {
    while (this.#startMs === undefined) await sleep(1);
    return this.#startMs;
  }
}

function checkEchoes(answers, newest) {
  const isNew = answers.map(({ text }, index) => {
    const [echo, tool] = text.split(' @');
    if (echo !== String(index)) throw new Error(`call ${index} was answered with ${text}`);
    return tool === newest;
  });
  if (isNew.lastIndexOf(false) > isNew.indexOf(true)) throw new Error('old code answered after new code');
}
