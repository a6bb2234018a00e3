import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installed } from './tools.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const NODE = process.execPath;
const V1 = { off: 1.2, safe: 0.25, go: 0.15 };
const V2 = { off: 1.2, safe: 0.4, go: 0.2 };

/**
 * The servers that are reloaded. `direct` is the command that starts one without us, `restart` what a plain runner
 * starts at each save, and `through` what follows our options. `write` makes the project in a folder, and `save` its
 * source with another newest tool. `goals` are the most that a swap may take without a standby (`off`) and with one
 * (`safe`), and a start out of a standby (`go`), as ratios to a direct start.
 */
export function serverKinds() {
  return [
    kind('v1, node', V1, javascript('v1'), [NODE, 'server.js']),
    kind('v2, node', V2, javascript('v2'), [NODE, 'server.js']),
    kind('v1, npm run', V1, javascript('v1'), ['npm', 'run', '-s', 'serve']),
    kind('v1, node --import tsx', V1, typescript('v1'), [NODE, '--import', 'tsx', 'server.ts']),
    kind('v2, node --import tsx', V2, typescript('v2'), [NODE, '--import', 'tsx', 'server.ts']),
    kind('v1, npx tsx', V1, typescript('v1'), ['npx', 'tsx', 'server.ts']),
    ...compiled('v1', V1),
    ...compiled('v2', V2),
    ...python(),
  ];
}

function kind(name, goals, sources, direct) {
  return { name, goals, ...sources, direct, restart: direct, through: ['--', ...direct] };
}

/** Compared with the start of a program that was compiled before; a plain runner has nobody to compile it. */
function compiled(sdk, goals) {
  const before = javascript(sdk);
  const { write, save } = typescript(sdk);
  const writeBoth = (folder) => {
    write(folder);
    const compiled = join(folder, 'dist');
    before.write(compiled);
    before.save(compiled, 'compiled');
  };
  const direct = [NODE, 'dist/server.js'];
  const name = `${sdk}, mcp-dev server.ts`;
  return [{ name, goals, write: writeBoth, save, direct, restart: undefined, through: ['server.ts'] }];
}

function python() {
  const { status, stdout } = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], {
    encoding: 'utf8',
  });
  if (status !== 0) return [];
  const sources = {
    write: (folder) => {
      mkdirSync(folder, { recursive: true });
      copyFileSync(here('programs/server.py'), join(folder, 'server.py'));
    },
    save: (folder, newest) => writeFileSync(join(folder, 'newest.py'), `NEWEST = "${newest}"\n`),
  };
  // `python3` itself may be the shim of a version manager, which takes its time at each start.
  return [kind('Python', {}, sources, [stdout.trim(), 'server.py'])];
}

function javascript(sdk) {
  return nodeSources(sdk, 'js', () => {});
}

function typescript(sdk) {
  return nodeSources(sdk, 'ts', (modules) => {
    const tsx = installed('tsx');
    link(tsx, join(modules, 'tsx'));
    link(join(tsx, 'dist/cli.mjs'), join(modules, '.bin/tsx'));
  });
}

function nodeSources(sdk, extension, addModules) {
  return {
    write(folder) {
      const modules = join(folder, 'node_modules');
      for (const name of ['@modelcontextprotocol/sdk', '@modelcontextprotocol/server', 'zod']) {
        link(here(`../node_modules/${name}`), join(modules, name));
      }
      addModules(modules);
      const manifest = { private: true, type: 'module', scripts: { serve: `node server.${extension}` } };
      writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
      copyFileSync(here(`programs/server-${sdk}.mjs`), join(folder, `server.${extension}`));
    },
    save: (folder, newest) =>
      writeFileSync(join(folder, `newest.${extension}`), `export const NEWEST = '${newest}';\n`),
  };
}

function link(target, path) {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}
