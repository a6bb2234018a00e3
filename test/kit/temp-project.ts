import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder of its own for a test; its path is real (no symlink in it). Names are relative to it. */
export interface TempProject {
  readonly folder: string;
  path(name: string): string;
  /** Writes in place; makes the folders that lead there. Answers the absolute path. */
  write(name: string, text: string): string;
  /** Saves as editors do: written beside it and renamed over it. */
  atomicWrite(name: string, text: string): string;
  remove(name: string): void;
}

/** Made at once, removed when the test is over. */
export function tempProject(files: Readonly<Record<string, string>> = {}): TempProject {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-dev-test-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = (name: string) => join(folder, name);
  const project: TempProject = {
    folder,
    path,
    write(name, text) {
      mkdirSync(dirname(path(name)), { recursive: true });
      writeFileSync(path(name), text);
      return path(name);
    },
    atomicWrite(name, text) {
      project.write(`${name}.saving`, text);
      renameSync(path(`${name}.saving`), path(name));
      return path(name);
    },
    remove: (name) => rmSync(path(name), { recursive: true }),
  };
  for (const [name, text] of Object.entries(files)) project.write(name, text);
  return project;
}
