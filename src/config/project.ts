import { readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import type { Given } from './layers.ts';
import { holdsOneOf, lies, upwards } from './paths.ts';

/**
 * The nearest folder with package.json, pyproject.toml or `.git` at or above `folder`: `none` when there is no
 * such folder, `too-much` when it is the home folder or `/`, as nobody wants all of that watched.
 */
export function projectRoot(folder: string, home: string): { readonly folder: string } | 'none' | 'too-much' {
  for (const candidate of upwards(folder)) {
    const isProject = holdsOneOf(candidate, ['package.json', 'pyproject.toml', '.git']);
    if (isTopLevel(candidate, home)) return isProject ? 'too-much' : 'none';
    if (isProject) return { folder: candidate };
  }
  return 'none';
}

/** The home folder and `/` hold projects, and are none. */
export function isTopLevel(folder: string, home: string): boolean {
  return dirname(folder) === folder || isSame(folder, home);
}

function isSame(folder: string, home: string): boolean {
  if (folder === resolve(home)) return true;
  return lies(home) === 'folder' && lies(folder) === 'folder' && realpathSync(folder) === realpathSync(home);
}

// Files that are started, as against the data and settings that a server is given.
const program = /\.([cm]?[jt]s|[jt]sx|pyz?|rb|php|exs?|sh|jar|dll|phar)$/i;
const withoutEnding = /(^|[\\/])[^.\\/]+$/;
// Programs that start somebody else's code: where they lie says nothing about the project.
const runner =
  /^(node|deno|bunx?|np[mx]|pnpm|pnpx|yarn|tsx|python|pythonw|py|pipx|uvx?|poetry|pdm|hatch|ruby|bundle|php|java|dotnet|go|cargo|env|sh|bash|zsh)[\d.]*(\.(exe|cmd))?$/i;

/**
 * The program file of a command: the first argument that names one, as in `node dist/server.js`; otherwise the
 * command itself if it is one of a project, as in `/path/to/project/target/debug/server`. A file that is not there
 * counts if its name is that of a program: a build will write it.
 */
export function programOf(
  command: string,
  args: readonly string[],
  cwd: string,
  home: string,
): string | undefined {
  const named = args
    .filter((arg) => !arg.startsWith('-') && (program.test(arg) || withoutEnding.test(arg)))
    .map((arg) => resolve(cwd, arg))
    .filter((path) => !isInstalled(path));
  const path = resolve(cwd, command);
  const isPath = /[\\/]/.test(command) && !runner.test(basename(command)) && !isInstalled(path);
  const isOwn = (file: string): boolean => typeof projectRoot(dirname(file), home) === 'object';
  return (
    named.find((file) => lies(file) === 'file') ??
    (isPath && lies(path) === 'file' && isOwn(path) ? path : undefined) ??
    named.find((file) => program.test(file) && lies(file) === 'nothing' && isOwn(file))
  );
}

/** A loader such as tsx, or a server from a package: not what is being written. */
function isInstalled(path: string): boolean {
  return path.split(sep).includes('node_modules');
}

/** What a project calls itself: in package.json, else in pyproject.toml, else by its folder. */
export function projectName(root: string): Given<string> {
  const fromPackage = nameIn(join(root, 'package.json'), packageName);
  if (fromPackage !== undefined)
    return { value: fromPackage, origin: { kind: 'other', place: 'package.json' } };
  const fromPython = nameIn(join(root, 'pyproject.toml'), pythonName);
  if (fromPython !== undefined)
    return { value: fromPython, origin: { kind: 'other', place: 'pyproject.toml' } };
  return { value: basename(root) || root, origin: { kind: 'default' } };
}

function nameIn(file: string, read: (text: string) => string | undefined): string | undefined {
  return lies(file) === 'file' ? read(readFileSync(file, 'utf8')) || undefined : undefined;
}

function packageName(text: string): string | undefined {
  try {
    const { name } = Object(JSON.parse(text)) as { name?: unknown };
    return typeof name === 'string' ? name : undefined;
  } catch (error) {
    // A package.json that is being edited costs us its name and nothing else.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function pythonName(text: string): string | undefined {
  const project = /^\[project\][ \t]*(?:#.*)?\r?$([\s\S]*?)(?=^\[|(?![\s\S]))/m.exec(text)?.[1];
  return /^[ \t]*name[ \t]*=[ \t]*["']([^"']+)["']/m.exec(project ?? '')?.[1];
}
