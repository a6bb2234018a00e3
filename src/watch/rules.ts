import { existsSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import picomatch from 'picomatch';
import { GitIgnores } from './gitignore.ts';
import { isIgnoredFolderName, isTemporaryName } from './names.ts';
import { slashed, within } from './paths.ts';

export interface RulesOptions {
  /** Absolute project root, which the `ignore` globs are relative to. */
  readonly root: string;
  /** Globs of --ignore; one without a slash matches a name at any depth. */
  readonly ignore: readonly string[];
  /** Absolute files and folders that the build writes. */
  readonly outputs: readonly string[];
}

/**
 * What is never watched. Every question names a `base`, the folder that somebody asked for: only what
 * lies strictly below it can be ignored, so that asking for an ignored folder shows its content.
 */
export class Rules {
  readonly #ignore: readonly ((path: string) => boolean)[];
  readonly #outputs: readonly string[];
  readonly #git = new GitIgnores();
  /** base → folder → verdict; folders are asked for again with each of their files. */
  readonly #folders = new Map<string, Map<string, boolean>>();

  constructor(options: RulesOptions) {
    this.#ignore = options.ignore.map((glob) => ignoreGlob(glob, options.root));
    this.#outputs = options.outputs;
  }

  /** Whether `folder`, or a folder between it and `base`, is not to be looked into. */
  ignoresFolder(folder: string, base: string): boolean {
    if (folder === base || !within(base, folder)) return false;
    let verdicts = this.#folders.get(base);
    if (verdicts === undefined) {
      verdicts = new Map();
      this.#folders.set(base, verdicts);
    }
    let verdict = verdicts.get(folder);
    if (verdict === undefined) {
      verdict = this.ignoresFolder(dirname(folder), base) || this.#ignoresFolderItself(folder, base);
      verdicts.set(folder, verdict);
    }
    return verdict;
  }

  /** Whether `file` or a folder between it and `base` is ignored. */
  ignoresFile(file: string, base: string): boolean {
    return (
      isTemporaryName(basename(file)) ||
      this.ignoresFolder(dirname(file), base) ||
      this.#ignore.some((matches) => matches(file)) ||
      this.isOutput(file) ||
      this.#git.ignores(file, 'file', base)
    );
  }

  /** Whether the build writes `path`. */
  isOutput(path: string): boolean {
    return this.#outputs.some((output) => within(output, path));
  }

  /** Folders above `base` whose .gitignore files take part in the verdicts. */
  ruleFoldersAbove(base: string): string[] {
    return this.#git.foldersAbove(base);
  }

  /** To be called when a .gitignore changed. */
  forget(): void {
    this.#git.forget();
    this.#folders.clear();
  }

  #ignoresFolderItself(folder: string, base: string): boolean {
    return (
      isIgnoredFolderName(basename(folder)) ||
      this.#ignore.some((matches) => matches(folder)) ||
      this.isOutput(folder) ||
      this.#git.ignores(folder, 'folder', base) ||
      // A Python environment may have any name; this file is what makes it one.
      existsSync(join(folder, 'pyvenv.cfg'))
    );
  }
}

function ignoreGlob(glob: string, root: string): (path: string) => boolean {
  const pattern = slashed(glob)
    .replace(/^\.\//, '')
    .replace(/(?<=.)\/$/, '');
  const matches = picomatch(pattern, { dot: true });
  if (isAbsolute(glob)) return (path) => matches(slashed(path));
  if (!pattern.includes('/')) return (path) => matches(basename(path));
  // Outside of the root a relative pattern can still be meant by its `**/`.
  return (path) => matches(slashed(within(root, path) ? relative(root, path) : path.replace(/^[/\\]/, '')));
}
