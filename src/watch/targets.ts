import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import picomatch from 'picomatch';
import { isFolder } from './is-folder.ts';
import { slashed } from './paths.ts';

/** One value of --watch. */
export type Target =
  /** A file or a folder, which may not exist yet, and may be the one now and the other later. */
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'glob'; readonly base: string; readonly deep: boolean; matches(path: string): boolean };

/** @param value absolute path or glob */
export function parseTarget(value: string): Target {
  // A path may hold what looks like a glob: [id].ts is a file of some frameworks.
  const scan = picomatch.scan(slashed(value));
  if (!scan.isGlob || existsSync(value)) return { kind: 'path', path: resolve(value) };
  const matches = picomatch(slashed(value), { dot: true });
  return {
    kind: 'glob',
    base: resolve(picomatch.scan(slashed(value), { unescape: true }).base || '/'),
    deep: /\*\*|\//.test(scan.glob),
    matches: (path) => matches(slashed(path)),
  };
}

/** A folder to be watched, and the folders at or below it that are to be descended into. */
export interface Branches {
  readonly folder: string;
  readonly branches: readonly string[];
}

/** What has to be watched for a target. */
export function branchesOf(target: Target): Branches {
  switch (target.kind) {
    case 'glob':
      return { folder: target.base, branches: target.deep ? [target.base] : [] };
    case 'path':
      if (isFolder(target.path)) return { folder: target.path, branches: [target.path] };
      return { folder: dirname(target.path), branches: [target.path] };
  }
}
