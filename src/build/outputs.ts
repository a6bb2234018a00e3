import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { isWithin } from './files.ts';
import { type Project, projectsOf } from './tsconfigs.ts';

export interface OutputsOptions {
  /** The project root; absolute. */
  readonly root: string;
  /** The program file, if known; absolute. */
  readonly entry?: string;
}

/**
 * The files and folders (absolute) that the TypeScript compiler writes to, as far as the project's tsconfig
 * files tell. A folder that holds sources is not among them, though the compiler writes to it: the
 * outputs in it can't be told from what a person writes.
 */
export async function knownOutputs({ root, entry }: OutputsOptions): Promise<readonly string[]> {
  const projects = await projectsOf(root, entry);
  const sources = [root, ...projects.flatMap(sourcesOf)];
  if (entry !== undefined && isTypeScript(entry)) sources.push(entry);
  const outputs = new Set(projects.flatMap(outputsOf));
  return [...outputs].filter((output) => !sources.some((source) => isWithin(source, output)));
}

/**
 * Tells which files (absolute) a compiler reads to write into the folder: those of the projects that have
 * it as their `outDir`, or without such a project all TypeScript files.
 */
export async function compiledSources(o: {
  readonly root: string;
  readonly folder: string;
}): Promise<(path: string) => boolean> {
  const { createFilesMatcher } = await import('get-tsconfig');
  const projects = (await projectsOf(o.root, undefined)).filter((project) => {
    const { noEmit, outDir: name } = project.config.compilerOptions ?? {};
    const outDir = absolute(project, name);
    return !noEmit && outDir !== undefined && (isWithin(outDir, o.folder) || isWithin(o.folder, outDir));
  });
  const tests = projects.map((project) => {
    const matches = createFilesMatcher(project);
    const rootDir = absolute(project, project.config.compilerOptions?.rootDir);
    return (path: string) =>
      matches(path) !== undefined && (rootDir === undefined || isWithin(path, rootDir));
  });
  if (tests.length === 0) tests.push(isTypeScript);
  return (path) => !isWithin(path, o.folder) && tests.some((test) => test(path));
}

function isTypeScript(path: string): boolean {
  return /\.[cm]?ts$|\.tsx$/.test(path);
}

/** Where a project's outputs go: folders, and single files. */
function outputsOf(project: Project): string[] {
  const { noEmit, outDir, declarationDir, outFile } = project.config.compilerOptions ?? {};
  const written = noEmit ? [] : [outDir, declarationDir, outFile];
  return [...written, buildInfoOf(project)].flatMap((path) => absolute(project, path) ?? []);
}

/** Also for projects that do not ask for one, since `tsc --build` always writes it. */
function buildInfoOf({ path, config }: Project): string {
  const { tsBuildInfoFile, outFile, outDir, rootDir } = config.compilerOptions ?? {};
  const name = `${basename(path, '.json')}.tsbuildinfo`;
  if (tsBuildInfoFile !== undefined) return tsBuildInfoFile;
  if (outFile !== undefined)
    return `${outFile.slice(0, outFile.length - extname(outFile).length)}.tsbuildinfo`;
  if (outDir === undefined) return name;
  // It lies in outDir where the tsconfig file lies in rootDir, which may well be outside.
  return rootDir === undefined ? join(outDir, name) : join(outDir, relative(rootDir, '.'), name);
}

/** Files and folders that a project's sources are named by. */
function sourcesOf(project: Project): string[] {
  const { files, include = files ? [] : ['.'], compilerOptions } = project.config;
  const named = [...(files ?? []), ...include.map(withoutWildcards), compilerOptions?.rootDir];
  return named.flatMap((path) => absolute(project, path) ?? []);
}

/** The folder in which a pattern's wildcards begin. */
function withoutWildcards(pattern: string): string {
  const parts = pattern.split('/');
  const first = parts.findIndex((part) => /[*?]/.test(part));
  return first < 0 ? pattern : parts.slice(0, first).join('/') || (pattern.startsWith('/') ? '/' : '.');
}

/** Of a path that a project names, relative to its folder. */
function absolute(project: Project, path: string | undefined): string | undefined {
  return path === undefined ? undefined : resolve(dirname(project.path), path);
}
