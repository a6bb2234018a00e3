import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What is measured beside us, or with us, and is no dependency of this package. */
const VERSIONS = { tsx: '4.23.15', nodemon: '3.1.14' };

/** Packages are kept from one run to the next. */
const FOLDER = fileURLToPath(new URL('../node_modules/.cache/mcp-dev/bench', import.meta.url));

/** The folder of a package, which is installed first if it is not there in that version. */
export function installed(name) {
  const version = VERSIONS[name];
  const folder = join(FOLDER, name);
  const found = join(folder, 'node_modules', name);
  if (existsSync(found) && versionOf(found) === version) return found;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const args = [
    'install',
    '--prefix',
    folder,
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    `${name}@${version}`,
  ];
  const { status } = spawnSync('npm', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`npm could not install ${name}@${version}`);
  return found;
}

function versionOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;
}
