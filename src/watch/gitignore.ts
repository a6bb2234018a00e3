import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ignore, { type Ignore } from 'ignore';
import { slashed, within } from './paths.ts';
import { systemErrorCode } from './system-error.ts';

/** One .gitignore file: the folder that it lies in and its rules. */
interface RuleFile {
  readonly folder: string;
  readonly rules: Ignore;
}

/** What the .gitignore files around a path say of it. They are read when first needed. */
export class GitIgnores {
  readonly #files = new Map<string, RuleFile | undefined>();
  readonly #tops = new Map<string, string>();
  readonly #chains = new Map<string, readonly RuleFile[]>();

  /**
   * Whether a .gitignore names `path`, which lies below `base`. A file that ignores `base` itself is
   * overruled there: whoever asked for an ignored folder to be watched wants what lies in it.
   */
  ignores(path: string, type: 'file' | 'folder', base: string): boolean {
    for (const file of this.#chain(dirname(path), base)) {
      const verdict = file.rules.test(relativeTo(file.folder, path, type));
      if (verdict.ignored) return true;
      if (verdict.unignored) return false;
    }
    return false;
  }

  /** The folders above `base`, up to the top of its repository, whose .gitignore has a say in it. */
  foldersAbove(base: string): string[] {
    const folders: string[] = [];
    const top = this.#top(base);
    for (let folder = base; folder !== top; ) {
      folder = dirname(folder);
      if (this.#read(folder) !== undefined) folders.push(folder);
    }
    return folders;
  }

  /** Reads everything anew from now on. */
  forget(): void {
    this.#files.clear();
    this.#tops.clear();
    this.#chains.clear();
  }

  /** The files with a say in what lies in `folder`, the nearest first: it decides before the others. */
  #chain(folder: string, base: string): readonly RuleFile[] {
    const key = `${base}\0${folder}`;
    const known = this.#chains.get(key);
    if (known !== undefined) return known;
    const chain: RuleFile[] = [];
    const top = this.#top(base);
    for (let at = folder; ; at = dirname(at)) {
      const file = this.#read(at);
      if (file !== undefined && !overruled(file, base)) chain.push(file);
      if (at === top || at === dirname(at)) break;
    }
    this.#chains.set(key, chain);
    return chain;
  }

  #read(folder: string): RuleFile | undefined {
    if (this.#files.has(folder)) return this.#files.get(folder);
    const text = readIfThere(join(folder, '.gitignore'));
    const ignorecase = process.platform === 'win32' || process.platform === 'darwin';
    const file = text === undefined ? undefined : { folder, rules: ignore({ ignorecase }).add(text) };
    this.#files.set(folder, file);
    return file;
  }

  /** The top of the repository that `base` lies in; `base` itself when it lies in none. */
  #top(base: string): string {
    const known = this.#tops.get(base);
    if (known !== undefined) return known;
    let top = base;
    for (let folder = base; ; folder = dirname(folder)) {
      if (existsSync(join(folder, '.git'))) {
        top = folder;
        break;
      }
      if (folder === dirname(folder)) break;
    }
    this.#tops.set(base, top);
    return top;
  }
}

function overruled(file: RuleFile, base: string): boolean {
  if (within(base, file.folder)) return false;
  return file.rules.ignores(relativeTo(file.folder, base, 'folder'));
}

function relativeTo(folder: string, path: string, type: 'file' | 'folder'): string {
  // A trailing slash is how the rules tell a folder: `dist/` does not match a file of that name.
  return slashed(relative(folder, path)) + (type === 'folder' ? '/' : '');
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    systemErrorCode(error); // not there, a folder of that name, or not for us to read: no rules either way
    return undefined;
  }
}
