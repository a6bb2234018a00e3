import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { configFiles } from '../build/entry-inputs.ts';
import { upwards } from '../config/paths.ts';
import type { Fit } from './plan.ts';
import { stampOf } from './stamp.ts';

/** What says how a program and its packages are found and loaded, in the program's folder and in each above it. */
const SETTINGS = [
  'package.json',
  'package-lock.json',
  'npm-shrinkwrap.json',
  'yarn.lock',
  'pnpm-lock.yaml',
  'bun.lock',
  'bun.lockb',
  '.pnp.cjs',
  '.npmrc',
  'tsconfig.json',
  'jsconfig.json',
  // The lists of what is installed.
  'node_modules/.package-lock.json',
  'node_modules/.modules.yaml',
  'node_modules/.yarn-state.yml',
  'pyproject.toml',
  'requirements.txt',
  'uv.lock',
  'poetry.lock',
  'pdm.lock',
  'Pipfile.lock',
  'setup.cfg',
  // Which Python it is.
  '.python-version',
  '.tool-versions',
  'mise.toml',
];

/** Files and folders, each with what it was like when it was noted; undefined: there was nothing. */
export type Grounds = ReadonlyMap<string, string | undefined>;

/** Notes what a process that starts now takes for granted, but for the packages that it loads. */
export async function noteGrounds(cwd: string, plan: Fit): Promise<Grounds> {
  const folders = new Set([...upwards(dirname(plan.entry)), ...upwards(cwd)]);
  const paths = new Set([...folders].flatMap((folder) => SETTINGS.map((name) => join(folder, name))));
  const more = plan.kind === 'node' ? [...plan.files, ...(await configFiles([plan.entry]))] : [];
  for (const path of [...more, ...environmentFiles(cwd)]) paths.add(path);
  return new Map([...paths].map((path) => [path, stampOf(path)]));
}

/** Whether all of it is as it was. */
export function hold(grounds: Grounds): boolean {
  for (const [path, stamp] of grounds) if (stampOf(path) !== stamp) return false;
  return true;
}

/** Packages read these when they are loaded. */
function environmentFiles(folder: string): string[] {
  const usual = ['.env', '.env.local', '.env.development', '.env.development.local'];
  const there = readdirSync(folder).filter((name) => name.startsWith('.env'));
  return [...usual, ...there].map((name) => join(folder, name));
}
