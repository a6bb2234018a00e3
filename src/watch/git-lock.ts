import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/**
 * Whether git is at work in the repository around `root`: it holds `index.lock` for as long as a checkout,
 * a merge or a stash writes files.
 */
export function gitHoldsIndex(root: string): boolean {
  for (let folder = root; ; folder = dirname(folder)) {
    const gitFolder = resolveGitFolder(join(folder, '.git'));
    if (gitFolder !== undefined) return existsSync(join(gitFolder, 'index.lock'));
    if (folder === dirname(folder)) return false;
  }
}

/** In a worktree or a submodule `.git` is a file with one line, `gitdir: <path>`. */
function resolveGitFolder(git: string): string | undefined {
  const stat = statSync(git, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  if (stat.isDirectory()) return git;
  const line = /^gitdir: (.+)$/m.exec(readFileSync(git, 'utf8'));
  return line?.[1] === undefined ? undefined : resolve(dirname(git), line[1].trim());
}
