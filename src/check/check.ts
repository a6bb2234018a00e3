import type { RunConfig } from '../config/run-config.ts';
import type { Bench, CheckOptions, Endable } from './bench.ts';
import { Deadline } from './deadline.ts';
import { Judge, type JudgePorts } from './judge.ts';
import { loadClients, type MakeClient, type OfficialClients } from './official-client.ts';
import { type CheckReport, count, ERAS, type Era, type ServerReport } from './report.ts';
import { ServerRun } from './server-run.ts';

/** What a smoke run tells on its way. */
export interface CheckPorts extends JudgePorts {
  /** The servers' stderr and the output of builds, as they come. */
  readonly onOutput: (chunk: Buffer) => void;
}

/** A smoke run of one or more servers, one after another. */
export class SmokeRun {
  readonly #configs: readonly RunConfig[];
  readonly #options: CheckOptions;
  readonly #version: string;
  readonly #ports: CheckPorts;
  readonly #deadline: Deadline;
  readonly #running = new Set<Endable>();

  /** `version` is that of `mcp-dev`. */
  constructor(configs: readonly RunConfig[], options: CheckOptions, version: string, ports: CheckPorts) {
    this.#configs = configs;
    this.#options = options;
    this.#version = version;
    this.#ports = ports;
    this.#deadline = new Deadline(options.timeout);
  }

  /** Makes all checks; nothing that was started is left when this resolves. */
  async run(): Promise<CheckReport> {
    const start = performance.now();
    const servers: ServerReport[] = [];
    const clients = await loadClients(erasOf(this.#options));
    for (const config of this.#configs) servers.push(await this.#server(config, clients));
    this.#deadline.clear();
    return {
      version: 1,
      mcpDev: this.#version,
      ok: servers.every(({ ok }) => ok),
      ms: Math.round(performance.now() - start),
      counts: count(servers.flatMap(({ checks }) => checks)),
      servers,
    };
  }

  /** What is not done yet fails or is skipped, and `run` resolves soon. */
  interrupt(signal: NodeJS.Signals): void {
    this.#deadline.end({ kind: 'signal', signal });
  }

  /** Ends every process in this very call, for the way out of a crash. */
  killNow(): void {
    for (const one of this.#running) one.killNow();
  }

  async #server(config: RunConfig, clients: OfficialClients): Promise<ServerReport> {
    const startedAt = new Date().toISOString();
    const start = performance.now();
    const judge = new Judge(this.#deadline, this.#ports);
    const bench: Bench = {
      config,
      options: this.#options,
      judge,
      deadline: this.#deadline,
      running: this.#running,
      client: (era) => (clients[era] as MakeClient)(this.#version),
      onStderr: this.#ports.onOutput,
    };
    const run = await ServerRun.open(bench, erasOf(this.#options));
    await run.run();
    const counts = count(judge.results);
    return {
      server: config.name,
      startedAt,
      ok: counts.failed === 0,
      ms: Math.round(performance.now() - start),
      counts,
      checks: judge.results,
    };
  }
}

/** The eras to try, in this order. */
function erasOf({ era }: CheckOptions): readonly Era[] {
  return era === 'auto' || era === 'both' ? ERAS : [era];
}
