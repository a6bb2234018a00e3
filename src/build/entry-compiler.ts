import { join } from 'node:path';
import type { BuildContext, BuildFailure, Message } from 'esbuild';
import { declaredFormat, writtenFormat } from './entry-format.ts';
import { entryPlugin } from './entry-plugin.ts';
import { DEFINE, type ModuleFormat, prelude } from './entry-view.ts';
import { type Esbuild, serviceIsGone } from './esbuild-service.ts';
import { realIfThere, textOf } from './files.ts';

export interface EntryCompilerOptions {
  readonly esbuild: Esbuild;
  /** As it was named; absolute. */
  readonly entry: string;
  /** Where the output will lie; absolute and real. */
  readonly outputFolder: string;
  /** Paths in messages are relative to it. */
  readonly workingFolder: string;
  /** Told of each source, absolute and real, before it is read. */
  onRead(path: string): void;
}

export type Compilation =
  | {
      readonly kind: 'compiled';
      readonly code: Uint8Array;
      readonly map: Uint8Array;
      readonly format: ModuleFormat;
      readonly warnings: readonly Message[];
    }
  | { readonly kind: 'failed'; readonly failure: BuildFailure };

/** esbuild's memory of the last build; good for the next while the entry is the same kind of module. */
interface Bench {
  readonly entry: string;
  readonly format: ModuleFormat;
  readonly banner: string;
  readonly context: BuildContext<{ write: false }>;
}

/** Compiles one entry again and again, in memory. */
export class EntryCompiler {
  readonly #options: EntryCompilerOptions;
  #bench: Bench | undefined;
  #written: { readonly text: string | undefined; readonly format: ModuleFormat } | undefined;

  constructor(options: EntryCompilerOptions) {
    this.#options = options;
  }

  /** Aborting `signal` makes it end soon, as a failure. Rejects when esbuild's process can't be kept running. */
  async compile(signal: AbortSignal): Promise<Compilation> {
    const remembered = this.#bench !== undefined;
    try {
      return await this.#compile(signal);
    } catch (error) {
      if (!serviceIsGone(error)) throw error;
      this.#bench = undefined;
      await this.#options.esbuild.stop();
      // It may have ended at any time since the last build: then a new one does the work.
      if (remembered) return this.compile(signal);
      throw error;
    }
  }

  async dispose(): Promise<void> {
    await this.#bench?.context.dispose();
    this.#bench = undefined;
  }

  async #compile(signal: AbortSignal): Promise<Compilation> {
    const { context, format, banner } = await this.#prepare();
    const cancel = () => void context.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      const { outputFiles, warnings } = await context.rebuild();
      const [map, code] = ['.js.map', '.js'].map((end) => outputFiles.find(({ path }) => path.endsWith(end)));
      if (!code || !map) throw new Error('esbuild gave no output and no error');
      return {
        kind: 'compiled',
        code: strictFirst(code.contents, banner),
        map: map.contents,
        format,
        warnings,
      };
    } catch (error) {
      if (!(error instanceof Error && 'errors' in error)) throw error;
      return { kind: 'failed', failure: error as BuildFailure };
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  async #prepare(): Promise<Bench> {
    const entry = await realIfThere(this.#options.entry);
    const format = (await declaredFormat(entry)) ?? (await this.#writtenFormat(entry));
    if (this.#bench?.entry === entry && this.#bench.format === format) return this.#bench;
    await this.dispose();
    this.#bench = await this.#setUp(entry, format);
    return this.#bench;
  }

  /** Asks esbuild once for each text of the entry, and not at all while another file is edited. */
  async #writtenFormat(entry: string): Promise<ModuleFormat> {
    const text = await textOf(entry);
    if (this.#written && this.#written.text === text) return this.#written.format;
    const format = await writtenFormat(entry, this.#options.esbuild);
    // A text with a syntax error, which the build will report, is taken for what it was before.
    this.#written = { text, format: format ?? this.#written?.format ?? 'esm' };
    return this.#written.format;
  }

  async #setUp(entry: string, format: ModuleFormat): Promise<Bench> {
    const { esbuild, outputFolder, workingFolder, onRead } = this.#options;
    const banner = prelude(format, entry);
    const context = await esbuild.context({
      entryPoints: [entry],
      outfile: join(outputFolder, 'output.js'),
      absWorkingDir: workingFolder,
      bundle: true,
      write: false,
      format,
      platform: 'node',
      target: 'node20.19',
      // Without this esbuild adds `module`, a condition that node does not know.
      conditions: [],
      sourcemap: 'external',
      define: DEFINE,
      banner: { js: banner },
      // A program under development runs as it is written, also where it promises to be free of side effects.
      ignoreAnnotations: true,
      charset: 'utf8',
      legalComments: 'none',
      logLevel: 'silent',
      plugins: [entryPlugin({ entry, format, outputFolder, onRead })],
    });
    return { entry, format, banner, context };
  }
}

/**
 * esbuild writes the banner before the directive of a strict program, which there is no directive any more.
 * Both are one line, so that the source map holds when they change places.
 */
function strictFirst(code: Uint8Array, banner: string): Uint8Array {
  const before = Buffer.from(`${banner}\n"use strict";\n`);
  const at = Buffer.from(code.buffer, code.byteOffset, code.byteLength).indexOf(before);
  if (at < 0) return code;
  const after = Buffer.from(`"use strict";\n${banner}\n`);
  return Buffer.concat([code.subarray(0, at), after, code.subarray(at + before.length)]);
}
