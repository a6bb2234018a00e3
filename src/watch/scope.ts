import { basename, dirname, extname } from 'node:path';
import { outermost, within } from './paths.ts';
import { Rules } from './rules.ts';
import { type Branches, branchesOf, parseTarget, type Target } from './targets.ts';

/** The entry lies in an output folder that .gitignore names, written by a compiler that runs elsewhere. */
export interface CompiledOutput {
  /** Absolute. It is watched although ignored. */
  readonly folder: string;
  /** Whether the file is compiled into the folder, so that its own change is no reason to reload. */
  isSource(path: string): boolean;
}

/** Which files count. All paths are absolute and normalized. */
export interface ScopeOptions {
  /** Project root. */
  readonly root: string;
  /** Paths and globs of --watch; none stands for the root. */
  readonly watch: readonly string[];
  /** Globs of --ignore, relative to the root. */
  readonly ignore: readonly string[];
  /** File types, without dots, that count below a watched folder. */
  readonly extensions: ReadonlySet<string> | 'all';
  /** Files and folders that the build writes. They never count. */
  readonly outputs: readonly string[];
  /** Files that always count, wherever they lie and whether or not they exist yet. */
  readonly files: readonly string[];
  readonly compiled: CompiledOutput | undefined;
  /** Without `watch`, only the inputs of the builder count, not all of the root. */
  readonly inputsOnly: boolean;
}

/** What a builder read for its last build. */
interface Inputs {
  readonly files: ReadonlySet<string>;
  readonly folders: readonly string[];
  /** The last build failed, perhaps for the want of a file: any source below the inputs' folders counts. */
  readonly incomplete: boolean;
}

const NO_INPUTS: Inputs = { files: new Set(), folders: [], incomplete: false };

/** A folder to be watched, with the question which of those below it are watched too. */
export interface TreePlan {
  readonly folder: string;
  /** The same plan has the same key. */
  readonly key: string;
  descend(folder: string): boolean;
}

/** Decides which files count, and what has to be watched for them. */
export class Scope {
  readonly #options: ScopeOptions;
  readonly #rules: Rules;
  readonly #targets: readonly Target[];
  readonly #files: ReadonlySet<string>;
  #inputs: Inputs = NO_INPUTS;

  constructor(options: ScopeOptions) {
    const { compiled, outputs } = options;
    // What a compiler elsewhere writes is what we are here to see.
    const ours = outputs.filter((output) => compiled === undefined || !within(output, compiled.folder));
    this.#options = options;
    this.#rules = new Rules({ root: options.root, ignore: options.ignore, outputs: ours });
    this.#targets = options.watch.map(parseTarget);
    this.#files = new Set(options.files);
  }

  setInputs(files: ReadonlySet<string>, incomplete: boolean): void {
    this.#inputs = { files, folders: [...new Set([...files].map((file) => dirname(file)))], incomplete };
  }

  /** Whether a change of the file is one of the server. */
  counts(file: string): boolean {
    if (this.#files.has(file)) return true;
    if (this.#rules.isOutput(file)) return false;
    const { root, compiled, watch, inputsOnly } = this.#options;
    return (
      this.#targets.some((target) => this.#isNamedBy(target, file)) ||
      this.isCompiled(file) ||
      this.#isEnvironment(file) ||
      this.#isInput(file) ||
      (!inputsOnly && watch.length === 0 && !compiled?.isSource(file) && this.#isSourceBelow(root, file))
    );
  }

  /** Whether the file counts as written by a compiler that runs elsewhere. */
  isCompiled(file: string): boolean {
    const { compiled } = this.#options;
    return compiled !== undefined && this.#isSourceBelow(compiled.folder, file);
  }

  /** What has to be watched for all files that count. */
  plan(): TreePlan[] {
    const byFolder = new Map<string, Set<string>>();
    for (const { folder, branches } of this.#wanted()) {
      const known = byFolder.get(folder) ?? new Set();
      byFolder.set(folder, new Set([...known, ...branches]));
    }
    const plans = [...byFolder].map(([folder, branches]) => ({ folder, branches: outermost(branches) }));
    return plans
      .filter((plan) => !plans.some((other) => this.#reaches(other, plan)))
      .map((plan) => ({
        folder: plan.folder,
        key: [plan.folder, ...plan.branches].join('\0'),
        descend: (folder) => plan.branches.some((branch) => this.#descends(branch, folder)),
      }));
  }

  /** To be called when a .gitignore changed; the plan may be another one. */
  forgetRules(): void {
    this.#rules.forget();
  }

  #isNamedBy(target: Target, file: string): boolean {
    switch (target.kind) {
      case 'path':
        return target.path === file || this.#isSourceBelow(target.path, file);
      case 'glob':
        return target.matches(file) && !this.#rules.ignoresFile(file, target.base);
    }
  }

  #isSourceBelow(folder: string, file: string): boolean {
    const { extensions } = this.#options;
    return (
      within(folder, file) &&
      (extensions === 'all' || extensions.has(extname(file).slice(1).toLowerCase())) &&
      !this.#rules.ignoresFile(file, folder)
    );
  }

  #isEnvironment(file: string): boolean {
    return dirname(file) === this.#options.root && basename(file).startsWith('.env');
  }

  #isInput(file: string): boolean {
    const { files, folders, incomplete } = this.#inputs;
    return files.has(file) || (incomplete && folders.some((folder) => this.#isSourceBelow(folder, file)));
  }

  #wanted(): Branches[] {
    const { root, watch, compiled, inputsOnly, files } = this.#options;
    const { folders, incomplete } = this.#inputs;
    const everything = !inputsOnly && watch.length === 0;
    const wanted: Branches[] = [
      // For its .env files in any case.
      { folder: root, branches: everything ? [root] : [] },
      ...this.#targets.map(branchesOf),
      ...files.map((file) => ({ folder: dirname(file), branches: [] })),
      ...folders.map((folder) => ({ folder, branches: incomplete ? [folder] : [] })),
    ];
    if (compiled !== undefined) wanted.push({ folder: compiled.folder, branches: [compiled.folder] });
    const deep = outermost(wanted.flatMap(({ branches }) => branches));
    const rules = new Set(deep.flatMap((branch) => this.#rules.ruleFoldersAbove(branch)));
    return [...wanted, ...[...rules].map((folder) => ({ folder, branches: [] }))];
  }

  #descends(branch: string, folder: string): boolean {
    return within(branch, folder) && !this.#rules.ignoresFolder(folder, branch);
  }

  /** Whether all that `plan` watches is watched by `other` on its way. */
  #reaches(other: Branches, plan: Branches): boolean {
    if (other.folder === plan.folder) return false;
    return [plan.folder, ...plan.branches].every((folder) =>
      other.branches.some((branch) => this.#descends(branch, folder)),
    );
  }
}
