import type { Builder, BuildOutcome } from '../build/builder.ts';
import { clearCaches } from '../build/caches.ts';
import type { EntryBuilder } from '../build/entry-builder.ts';
import type { SharedRun } from '../build/shared-result.ts';
import { cacheFolder } from '../config/cache-folder.ts';
import { readEnvironment } from '../config/environment.ts';
import { isCompiled, startCommand } from '../config/launch.ts';
import { makeProcessFolder, removeLeftFolders, removeProcessFolder } from '../config/process-folder.ts';
import type { RunConfig } from '../config/run-config.ts';
import type { Launch } from '../generation/process.ts';
import { logFiles } from '../report/log-file.ts';
import type { Reporter } from '../report/reporter.ts';
import type { Failure } from '../session/failure.ts';
import type { Watch } from '../watch/watch.ts';
import { chosenLaunch, type LaunchChoice } from './choice.ts';
import type { ReloadEvent } from './events.ts';
import { projectSecret } from './project-secret.ts';

/** Events that come from files and builds. */
export type WorkshopEvent = Extract<
  ReloadEvent,
  { type: `build${string}` | 'built' | 'batch' | 'change-seen' }
>;

/** What makes builders. */
export type Making = typeof import('../build/making.ts');

/** The time that a file system notes may lag behind the clock by so many ms. */
const FILE_TIME_LAG = 10;

const PYTHON = /\.py$/;
/** A glob for what Python compiles its sources to. */
const PYTHON_CACHE = /(?:^|\/)__pycache__$/;

/** Where a generation comes from: the watched sources, the caches, the build, and the command at the end. */
export class Workshop {
  readonly #config: RunConfig;
  readonly #reporter: Reporter;
  readonly #tell: (event: WorkshopEvent) => void;
  readonly #shell: Builder | undefined;
  readonly #entry: EntryBuilder | undefined;
  #env: NodeJS.ProcessEnv;
  readonly #secret: string;
  /** Where the server may keep what should outlive a swap. */
  readonly #state = makeProcessFolder('state');
  #choice: LaunchChoice | undefined;
  #running: AbortController | undefined;
  #watch: Promise<Watch> | undefined;
  /** When the sources were last read: by a build, or by the start that follows it. */
  #baseline = Date.now();
  /** Of a change made at that time or later it is known, or will be; wall-clock ms … */
  #seesSince = this.#baseline;
  /** … and the newest one that is known was made at that time at the latest. */
  #newestChange = Number.NEGATIVE_INFINITY;
  /** All files are noted: nothing depends on the baseline any more. */
  #allNoted = false;
  /** What has changed since the last build began; undefined when it is not known why there will be another. */
  #changed: 'python' | 'other' | undefined;
  #closed = false;

  /** @param making undefined when nothing has to be built; `loadMaking` tells */
  constructor(
    config: RunConfig,
    reporter: Reporter,
    tell: (event: WorkshopEvent) => void,
    making: Making | undefined,
  ) {
    this.#config = config;
    this.#reporter = reporter;
    this.#tell = tell;
    this.#env = config.env;
    this.#secret = projectSecret(config.root);
    const onOutput = (chunk: Buffer): void => reporter.buildOutput(chunk);
    const { build, buildCwd: cwd, launch } = config;
    this.#shell = build
      ? making?.sharedBuilder(
          (onStart) => making.shellBuilder({ command: build, cwd, env: () => this.#env, onOutput, onStart }),
          {
            folder: cwd,
            command: build,
            changedSince: (ms) => ms < this.#seesSince || ms <= this.#newestChange,
            began: (run) => this.#shellBegan(run),
            notice: (text) => reporter.warn(text),
          },
        )
      : undefined;
    this.#entry = isCompiled(launch) ? making?.entryBuilder({ entry: launch.entry, onOutput }) : undefined;
  }

  /** There is something to build, and not only caches to clear. */
  get builds(): boolean {
    return this.#shell !== undefined || this.#entry !== undefined;
  }

  /** Clears the caches and builds; a build event follows. */
  build(): void {
    const running = new AbortController();
    this.#running = running;
    this.#baseline = Date.now();
    void this.#watch?.then((watch) => watch.setBaseline(this.#baseline));
    if (!this.#allNoted) this.#seesSince = this.#baseline;
    // A build may take long, and what is saved meanwhile has to end it. That of the shell may have begun before
    // us, and tells when.
    if (this.#shell === undefined && this.#entry !== undefined) this.watch();
    const changed = this.#changed;
    this.#changed = undefined;
    void this.#prepare(changed, running.signal).then((event) => {
      this.#running = undefined;
      this.#tell(event);
    });
  }

  /** Ends the build; its event follows when all of it is gone. */
  abortBuild(): void {
    this.#running?.abort();
  }

  /** From the next start on this is started; `undefined`: the server as configured. */
  choose(choice: LaunchChoice | undefined): void {
    this.#choice = choice;
  }

  get choice(): LaunchChoice | undefined {
    return this.#choice;
  }

  /** What is started for a generation. */
  launch(generation: number): Launch {
    return this.#launch(generation, this.#entry?.args);
  }

  /** What will be started for the generation after this one, as far as that is known. */
  nextLaunch(generation: number): Launch {
    return this.#launch(generation + 1, this.#entry?.nextArgs);
  }

  /** The program that we have built last. */
  get built(): string | undefined {
    return this.#entry?.output;
  }

  /** Begins to watch, unless that is done already or not wanted. It is kept from the first start, whose time it would cost. */
  watch(): void {
    if (this.#watch !== undefined || this.#closed || !this.#config.watches) return;
    this.#watch = this.#attach();
  }

  /** Ends a running build and the watching. */
  async rest(): Promise<void> {
    this.#closed = true;
    this.#running?.abort();
    const watch = await this.#watch;
    await Promise.all([watch?.close(), this.#shell?.close()]);
  }

  /** Gives up what was built. */
  async close(): Promise<void> {
    await this.#entry?.close();
    this.#removeState();
  }

  killNow(): void {
    this.#shell?.killNow();
    this.#entry?.killNow();
    this.#removeState();
  }

  #removeState(): void {
    if (this.#state !== undefined) removeProcessFolder(this.#state);
  }

  #launch(generation: number, built: readonly string[] | undefined): Launch {
    const { cwd } = this.#config;
    const launch = chosenLaunch(this.#config.launch, this.#choice);
    const env = {
      MCP_DEV_SECRET: this.#secret,
      ...this.#env,
      ...this.#choice?.override.env,
      MCP_DEV: '1',
      MCP_DEV_GENERATION: String(generation),
      ...(this.#state === undefined ? {} : { MCP_DEV_STATE_DIR: this.#state }),
    };
    const program = this.#entry && built && { command: this.#entry.command, args: built };
    return { ...startCommand(launch, program), cwd, env };
  }

  async #prepare(changed: 'python' | 'other' | undefined, signal: AbortSignal): Promise<WorkshopEvent> {
    const environment = readEnvironment(this.#config.envFiles, process.env);
    if (environment.kind === 'usage') this.#reporter.error(`${environment.message}; its last values stay`);
    else this.#env = environment.env;
    const cleared = this.#clear();
    // Where nothing of Python changed its caches are as good as before. To look for them takes, in a big tree, as long
    // as a server's start.
    const isHarmless = changed === 'other' && this.#config.clear.every((glob) => PYTHON_CACHE.test(glob));
    if (!isHarmless) await cleared;
    for (const builder of [this.#shell, this.#entry]) {
      if (builder === undefined) continue;
      if (signal.aborted) return { type: 'build-aborted' };
      const outcome = await builder.build(signal);
      if (builder === this.#entry) await this.#followInputs(outcome);
      switch (outcome.outcome) {
        case 'built':
          break;
        case 'aborted':
          return { type: 'build-aborted' };
        case 'failed':
          return { type: 'build-failed', failure: buildFailure(outcome) };
      }
    }
    return signal.aborted ? { type: 'build-aborted' } : { type: 'built' };
  }

  /** The shell builds, here or in another process that we wait for. */
  #shellBegan({ pid, startedAt }: SharedRun): void {
    if (pid !== process.pid) this.#reporter.detail(`waits for the same build of process ${pid}`);
    if (this.#watch === undefined) {
      // What changed since that build began is a change for us too, though we were not there.
      this.#baseline = Math.min(this.#baseline, startedAt);
      this.#seesSince = this.#baseline;
    }
    this.watch();
  }

  async #clear(): Promise<void> {
    const { clear, watch, root } = this.#config;
    if (clear.length === 0) return;
    const roots = watch.length === 0 ? [root] : await foldersOf(watch);
    const { removed, failed } = await clearCaches({ roots, globs: clear });
    if (removed.length > 0) this.#reporter.detail(`removed ${removed.join(', ')}`);
    for (const { path, message } of failed)
      this.#reporter.warn(`cannot remove the cache ${path}: ${message}`);
  }

  async #followInputs(outcome: BuildOutcome): Promise<void> {
    const watch = await this.#watch;
    if (this.#entry !== undefined) watch?.setInputs(this.#entry.inputs, outcome.outcome === 'failed');
  }

  async #attach(): Promise<Watch> {
    const { root, entry, watch, ignore, extensions, poll, debounce, envFiles } = this.#config;
    const { logFile, events, record } = this.#config;
    // The server was started before: whatever is loaded from here on takes none of its time.
    const { knownOutputs } = await import('../build/outputs.ts');
    const { compiledOutput } = await import('./compiled-output.ts');
    const { startWatch } = await import('../watch/watch.ts');
    removeLeftFolders();
    const outputs = await knownOutputs({ root, ...(entry === undefined ? {} : { entry }) });
    // We write there ourselves: to the log with each reload.
    const written = [...(logFile === undefined ? [] : logFiles(logFile)), events, record];
    const own = [cacheFolder(), ...written.filter((file) => file !== undefined)];
    const started = startWatch(
      {
        root,
        watch,
        ignore,
        extensions,
        poll,
        debounce,
        outputs: [...outputs, ...own],
        files: envFiles,
        compiled: this.#entry === undefined ? await compiledOutput(this.#config, outputs) : undefined,
        inputsOnly: this.#entry !== undefined,
      },
      {
        onChange: ({ at }) => {
          this.#newestChange = Math.max(this.#newestChange, Math.min(at + FILE_TIME_LAG, Date.now()));
          this.#tell({ type: 'change-seen' });
        },
        onBatch: (changes) => {
          const hasPython = this.#changed === 'python' || changes.some(({ path }) => PYTHON.test(path));
          this.#changed = hasPython ? 'python' : 'other';
          this.#tell({ type: 'batch', changes });
        },
        onFault: ({ message }) => this.#reporter.error(message),
      },
    );
    started.setBaseline(this.#baseline);
    void started.ready.then(() => {
      this.#allNoted = true;
    });
    if (this.#entry !== undefined) started.setInputs(this.#entry.inputs, false);
    return started;
  }
}

/** What makes the builders of this configuration, loaded only if it has one. */
export async function loadMaking({ build, launch }: RunConfig): Promise<Making | undefined> {
  return build || isCompiled(launch) ? await import('../build/making.ts') : undefined;
}

/** The folders that the values of --watch lie in. */
async function foldersOf(watch: readonly string[]): Promise<readonly string[]> {
  const { branchesOf, parseTarget } = await import('../watch/targets.ts');
  return watch.map((value) => branchesOf(parseTarget(value)).folder);
}

function buildFailure(outcome: Extract<BuildOutcome, { outcome: 'failed' }>): Failure {
  return {
    reason: 'build_failed',
    summary: `the build failed (${outcome.reason})`,
    text: outcome.text,
    generation: undefined,
  };
}
