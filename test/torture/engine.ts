import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { processesOf } from '../kit/processes.ts';
import { until } from '../kit/wait.ts';
import { type Counts, TortureClient } from './client.ts';
import { seeded } from './random.ts';
import { type Pace, Saboteur } from './saboteur.ts';

const IN_FLIGHT = 50;
const STDERR_SHOWN = 60;
/** Reasons that a run can bring about; nothing here waits long enough for `hold_timeout`. */
const REASONS = ['server_restarted', 'server_crashed', 'server_down', 'start_failed'];
/** Shows a broken save before a process is started for it. */
const BUILD = ['--build', 'node --check server.mjs'];

export interface TortureOptions {
  /** The folder of this package, whose built command is run. */
  readonly repository: string;
  readonly seconds: number;
  /** Decides what is saved, broken and asked, and when. */
  readonly seed: number;
  /** Builds before each start, so that a broken save is a failed build. */
  readonly build: boolean;
  readonly standby: 'safe' | 'off';
  readonly pace: Pace;
}

export interface Progress extends Readonly<Counts> {
  readonly saves: number;
  readonly broken: number;
  readonly crashes: number;
  /** New generations that took over, as mcp-dev reported. */
  readonly reloads: number;
  /** Processes that had waited, and became generations. */
  readonly standbys: number;
  /** Requests without an answer, at this moment. */
  readonly open: number;
  /** The resident memory of mcp-dev, in MB. */
  readonly residentMb: number;
  /** Processes of the session. */
  readonly processes: number;
}

export interface Verdict extends Progress {
  /** All that should not be so, a sentence each; empty when everything held. */
  readonly faults: readonly string[];
  /** The last lines on stderr. */
  readonly stderr: readonly string[];
}

/** A session of mcp-dev under fire: requests all the time, saves, broken ones and crashes in between. */
export class Torture {
  readonly #options: TortureOptions;
  readonly #home: string;
  readonly #project: string;
  readonly #mark = `TORTURE_${randomUUID().replaceAll('-', '')}`;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #client: TortureClient;
  readonly #saboteur: Saboteur;
  readonly #stderr: string[] = [];
  #reloads = 0;
  #standbys = 0;
  #residentMb = 0;

  constructor(options: TortureOptions) {
    this.#options = options;
    this.#home = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-dev-torture-')));
    this.#project = join(this.#home, 'project');
    for (const folder of ['project', 'tmp', 'cache']) mkdirSync(join(this.#home, folder));
    writeFileSync(join(this.#project, 'package.json'), '{ "name": "torture", "type": "module" }');
    const source = join(options.repository, 'fixtures/torture/server.mjs');
    this.#saboteur = new Saboteur(this.#project, source, options.pace, seeded(options.seed));
    const reasons = new Set(options.build ? [...REASONS, 'build_failed'] : REASONS);
    const standby = ['--verbose', '--standby', options.standby];
    const args = [...standby, ...(options.build ? BUILD : []), '--', process.execPath, 'server.mjs'];
    this.#child = spawn(process.execPath, [join(options.repository, 'bin/mcp-dev.cjs'), ...args], {
      cwd: this.#project,
      env: {
        ...process.env,
        TMPDIR: join(this.#home, 'tmp'),
        XDG_CACHE_HOME: join(this.#home, 'cache'),
        TORTURE_LEDGER: this.#ledger,
        [this.#mark]: '1',
      },
    });
    this.#child.stdin.on('error', (error: NodeJS.ErrnoException) => {
      // The session ended early; its exit code says more.
      if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') throw error;
    });
    createInterface({ input: this.#child.stderr }).on('line', (line) => this.#takeStderr(line));
    const { stdin, stdout } = this.#child;
    this.#client = new TortureClient(stdin, stdout, seeded(options.seed + 1), reasons);
  }

  /** How it stands. */
  get progress(): Progress {
    const { saves, broken, crashes } = this.#saboteur;
    const status = join('/proc', String(this.#child.pid), 'status');
    const resident = existsSync(status)
      ? /VmRSS:\s+(\d+)/.exec(readFileSync(status, 'utf8'))?.[1]
      : undefined;
    if (resident !== undefined) this.#residentMb = Math.round(Number(resident) / 1024);
    return {
      ...this.#client.counts,
      saves,
      broken,
      crashes,
      reloads: this.#reloads,
      standbys: this.#standbys,
      open: this.#client.open.length,
      residentMb: this.#residentMb,
      processes: this.#processes.length,
    };
  }

  /** Runs the whole thing and cleans up after it. */
  async run(): Promise<Verdict> {
    const exited = once(this.#child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
    const faults: string[] = [];
    try {
      await this.#client.connect();
      this.#client.keepInFlight(IN_FLIGHT);
      const isOver = await Promise.race([this.#fire(), exited.then(() => true)]);
      if (isOver === true) faults.push('the session ended before the client did');
      else await this.#calmDown(faults);
      const { progress } = this;
      this.#child.stdin.end();
      const [code, signal] = await exited;
      if (code !== 0) faults.push(`the session ended with ${signal ?? `exit code ${code}`}`);
      faults.push(...this.#leftovers(), ...this.#executions(), ...this.#client.faults);
      return { ...progress, ...this.#client.counts, faults, stderr: this.#stderr };
    } finally {
      this.#child.kill('SIGKILL');
      for (const pid of this.#processes) process.kill(pid, 'SIGKILL');
      rmSync(this.#home, { recursive: true, force: true });
    }
  }

  get #ledger(): string {
    return join(this.#home, 'ledger');
  }

  get #processes(): number[] {
    return processesOf(`${this.#mark}=1`);
  }

  async #fire(): Promise<void> {
    const end = performance.now() + this.#options.seconds * 1000;
    while (performance.now() < end && this.#child.exitCode === null) {
      const { afterMs, blow } = this.#saboteur.next();
      await sleep(afterMs);
      if (blow === 'save') this.#saboteur.save();
      if (blow === 'break') this.#saboteur.break();
      if (blow === 'crash') this.#client.ask('die', 0, { how: this.#saboteur.wayToDie() });
    }
  }

  /** A last save that is whole must be served, and everything that was asked must be answered. */
  async #calmDown(faults: string[]): Promise<void> {
    try {
      this.#saboteur.save();
      // A crash right after the last hand-over would bring the code before it back, for good.
      await until(() => this.#client.open.every(({ kind }) => kind !== 'die'), 'no crash is on its way');
      this.#saboteur.save();
      const { version } = this.#saboteur;
      await until(() => this.#client.newest === version, `version ${version} is served`);
      this.#client.keepInFlight(0);
      await until(() => this.#client.open.length === 0, 'everything is answered');
    } catch (error) {
      this.#client.keepInFlight(0);
      faults.push(String(error));
    }
    const lost = this.#client.open;
    if (lost.length > 0) faults.push(`${lost.length} lost, the first ${JSON.stringify(lost[0])}`);
  }

  /** Processes and files that outlived the session. */
  #leftovers(): string[] {
    const files = readdirSync(join(this.#home, 'tmp')).map((name) => `left in the temporary folder: ${name}`);
    for (const name of readdirSync(this.#project))
      if (name !== 'server.mjs' && name !== 'package.json') files.push(`left in the project: ${name}`);
    for (const name of readdirSync(join(this.#home, 'cache'), { recursive: true }))
      if (/te?mp|\.part|saving/.test(String(name).replace('mcp-dev', '')))
        files.push(`left in the cache: ${name}`);
    const processes = this.#processes.map((pid) => {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      return `process ${pid} is left: ${command}`;
    });
    return [...files, ...processes];
  }

  /** What the servers noted of `work`: each at most once, and nothing that is said not to have been executed. */
  #executions(): string[] {
    const done = readFileSync(this.#ledger, 'utf8').split('\n').filter(Boolean).map(Number);
    const distinct = new Set(done);
    const faults = this.#client.notExecuted
      .filter((nonce) => distinct.has(nonce))
      .map((nonce) => `work ${nonce} was executed, though its answer says that it was not`);
    if (distinct.size < done.length)
      faults.push(`${done.length - distinct.size} calls of work were executed twice`);
    return faults;
  }

  #takeStderr(line: string): void {
    if (/^mcp-dev generation \d+ took over /.test(line)) this.#reloads += 1;
    if (/^mcp-dev generation \d+ is the standby,/.test(line)) this.#standbys += 1;
    this.#stderr.push(line);
    if (this.#stderr.length > STDERR_SHOWN) this.#stderr.shift();
  }
}
