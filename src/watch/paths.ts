import { sep } from 'node:path';

/** Whether `path` is `folder` itself or lies anywhere below it. Both absolute and normalized. */
export function within(folder: string, path: string): boolean {
  if (!path.startsWith(folder)) return false;
  return path.length === folder.length || folder.endsWith(sep) || path[folder.length] === sep;
}

/** The path with forward slashes, the form in which globs and .gitignore rules are written. */
export function slashed(path: string): string {
  return sep === '/' ? path : path.replaceAll(sep, '/');
}

/** Without the paths that lie within another one of the list, and without doubles. */
export function outermost(paths: Iterable<string>): string[] {
  const kept: string[] = [];
  // Sorted by length an outer path always comes before what it contains.
  for (const path of [...new Set(paths)].sort((a, b) => a.length - b.length)) {
    if (!kept.some((outer) => within(outer, path))) kept.push(path);
  }
  return kept;
}
