import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type EntryBuilder, entryBuilder } from '../../src/build/entry-builder.ts';
import { alive as isAlive } from '../kit/processes.ts';
import { until } from '../kit/wait.ts';

/** A new folder with these files in it, keyed by relative path; removed after the test. */
export function folder(files: Readonly<Record<string, string>> = {}): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-dev-test-')));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  write(root, files);
  return root;
}

export function write(root: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

/** Waits for a file that a process under test writes its pid to. */
export function pidIn(file: string): Promise<number> {
  return until(() => {
    try {
      return Number(/^(\d+)\n/.exec(readFileSync(file, 'utf8'))?.[1]) || undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }, `a pid in ${file}`);
}

/** Those of the pids that still run. */
export function alive(...pids: number[]): number[] {
  return pids.filter(isAlive);
}

/** A signal that never aborts. */
export const NEVER: AbortSignal = new AbortController().signal;

export interface EntryBench {
  readonly root: string;
  readonly builder: EntryBuilder;
  /** What the builder gave to its output so far. */
  output(): string;
  /** Builds, and fails the test with the compiler's text if that fails. */
  build(): Promise<void>;
  /** Runs the newest output as a program of its own. */
  run(): Promise<Ran>;
  /** Builds, runs, and gives what the program printed as JSON. */
  see(): Promise<unknown>;
}

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A builder for the entry, by its relative path, in a new folder with these files. */
export function entryBench(entry: string, files: Readonly<Record<string, string>>): EntryBench {
  const root = folder(files);
  const chunks: Buffer[] = [];
  const builder = entryBuilder({ entry: join(root, entry), onOutput: (chunk) => chunks.push(chunk) });
  onTestFinished(() => builder.close());
  const bench: EntryBench = {
    root,
    builder,
    output: () => Buffer.concat(chunks).toString(),
    async build() {
      const outcome = await builder.build(NEVER);
      if (outcome.outcome !== 'built') throw new Error(JSON.stringify(outcome, undefined, 1));
    },
    run: () => run(builder, root),
    async see() {
      await bench.build();
      const { code, stdout, stderr } = await bench.run();
      if (code !== 0) throw new Error(`exit code ${code}\n${stdout}\n${stderr}`);
      return JSON.parse(stdout);
    },
  };
  return bench;
}

function run({ command, args }: EntryBuilder, cwd: string): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(command, [...args, 'one', '--two'], { cwd }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr });
    });
  });
}
