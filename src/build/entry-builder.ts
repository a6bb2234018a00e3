import { dirname } from 'node:path';
import type { Message } from 'esbuild';
import { type Builder, type BuildOutcome, stopwatch, TEXT_LIMIT } from './builder.ts';
import { EndableBuild } from './endable-build.ts';
import { EntryCompiler } from './entry-compiler.ts';
import { configFiles, missingImports } from './entry-inputs.ts';
import { EntryPlace } from './entry-place.ts';
import { type Esbuild, leaveEsbuild, serviceIsGone, useEsbuild } from './esbuild-service.ts';
import { nearest, realIfThere } from './files.ts';
import { Tail } from './tail.ts';

export interface EntryBuilderOptions {
  /** The program: absolute, `.ts`, `.mts`, `.cts` or `.tsx`. */
  readonly entry: string;
  /** Gets esbuild's warnings and errors, as text. */
  onOutput(chunk: Buffer): void;
}

export interface EntryBuilder extends Builder {
  /**
   * The sources and configuration files, absolute and real, that the last attempt read. After a failure
   * those of the attempt before are among them, and the places where a missing import was looked for.
   */
  readonly inputs: ReadonlySet<string>;
  /** What to start, with `args`: the newest output, of use once a build has succeeded. */
  readonly command: string;
  readonly args: readonly string[];
  /** The newest output, once there is one. */
  readonly output: string | undefined;
  /** What `args` will be after the next build that succeeds, if the program stays the same kind of module. */
  readonly nextArgs: readonly string[];
}

/** What is needed for every build and given back by `close`. */
interface Workshop {
  readonly esbuild: Esbuild;
  readonly place: EntryPlace;
  readonly compiler: EntryCompiler;
  /** Paths in messages are relative to it. */
  readonly folder: string;
}

type Attempt = { readonly output: string } | { readonly reason: string; readonly text: string };

/** Nobody reads more errors than this; most follow from the first. */
const ERRORS_SHOWN = 20;

/** Builds a TypeScript program into one file beside its packages, by esbuild. */
export function entryBuilder(options: EntryBuilderOptions): EntryBuilder {
  return new EsbuildEntryBuilder(options);
}

class EsbuildEntryBuilder implements EntryBuilder {
  readonly command = process.execPath;
  readonly #options: EntryBuilderOptions;
  readonly #builds = new EndableBuild((signal) => this.#build(signal));
  #inputs: ReadonlySet<string>;
  #output: string | undefined;
  #read = new Set<string>();
  #workshop: Workshop | undefined;

  constructor(options: EntryBuilderOptions) {
    this.#options = options;
    this.#inputs = new Set([options.entry]);
  }

  get inputs(): ReadonlySet<string> {
    return this.#inputs;
  }

  get args(): readonly string[] {
    return [this.#output ?? this.#options.entry];
  }

  get output(): string | undefined {
    return this.#output;
  }

  get nextArgs(): readonly string[] {
    const next = this.#output === undefined ? undefined : this.#workshop?.place.after(this.#output);
    return [next ?? this.#options.entry];
  }

  build(signal: AbortSignal): Promise<BuildOutcome> {
    return this.#builds.start(signal);
  }

  async close(): Promise<void> {
    await this.#builds.end();
    const workshop = this.#workshop;
    this.#workshop = undefined;
    if (!workshop) return;
    await workshop.compiler.dispose();
    await leaveEsbuild(workshop.esbuild);
    await workshop.place.close();
  }

  killNow(): void {
    void this.#workshop?.esbuild.stop();
  }

  async #build(signal: AbortSignal): Promise<BuildOutcome> {
    const elapsed = stopwatch();
    if (signal.aborted) return { outcome: 'aborted', ms: elapsed() };
    try {
      const attempt = await this.#attempt(signal);
      if (signal.aborted || attempt === undefined) return { outcome: 'aborted', ms: elapsed() };
      if ('reason' in attempt) return { outcome: 'failed', ms: elapsed(), ...attempt };
      this.#output = attempt.output;
      return { outcome: 'built', ms: elapsed() };
    } catch (error) {
      // A full disk, a folder that may not be written to, esbuild's process killed again and again.
      if (!(error instanceof Error) || !('syscall' in error || serviceIsGone(error))) throw error;
      return { outcome: 'failed', ms: elapsed(), reason: `cannot build: ${error.message}`, text: '' };
    }
  }

  /** Undefined when it was aborted. */
  async #attempt(signal: AbortSignal): Promise<Attempt | undefined> {
    this.#workshop ??= await this.#open();
    const { compiler, place, folder } = this.#workshop;
    this.#read = new Set([this.#options.entry]);
    const compilation = await compiler.compile(signal);
    const read = [...this.#read, ...(await configFiles(this.#read))];
    if (signal.aborted || compilation.kind === 'failed') this.#inputs = new Set([...this.#inputs, ...read]);
    else this.#inputs = new Set(read);
    if (signal.aborted) return undefined;

    switch (compilation.kind) {
      case 'compiled':
        await this.#say('warning', compilation.warnings);
        return { output: await place.write(compilation.code, compilation.map, compilation.format) };
      case 'failed': {
        const { errors, warnings } = compilation.failure;
        this.#inputs = new Set([...this.#inputs, ...missingImports(errors, folder)]);
        await this.#say('warning', warnings);
        const text = await this.#say('error', errors.slice(0, ERRORS_SHOWN));
        return { reason: errors.length === 1 ? '1 error' : `${errors.length} errors`, text };
      }
    }
  }

  async #open(): Promise<Workshop> {
    const entry = await realIfThere(this.#options.entry);
    const manifest = await nearest('file', 'package.json', dirname(entry));
    const folder = dirname(manifest ?? entry);
    const place = await EntryPlace.open(entry);
    const esbuild = await useEsbuild();
    const compiler = new EntryCompiler({
      esbuild,
      entry: this.#options.entry,
      outputFolder: place.folder,
      workingFolder: folder,
      onRead: (path) => this.#read.add(path),
    });
    return { esbuild, place, compiler, folder };
  }

  /** Gives the messages as esbuild words them to the output; the text comes back too. */
  async #say(kind: 'error' | 'warning', messages: readonly Message[]): Promise<string> {
    if (!this.#workshop || messages.length === 0) return '';
    const lines = await this.#workshop.esbuild.formatMessages([...messages], { kind, color: false });
    const tail = new Tail(TEXT_LIMIT);
    const text = lines.join('');
    this.#options.onOutput(Buffer.from(text));
    tail.push(Buffer.from(text));
    return tail.text();
  }
}
