import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { median } from './median.mjs';
import { resident, settled, tells, watchesOf } from './process-facts.mjs';
import { Session } from './session.mjs';
import { installed } from './tools.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const FILES_IN_A_FOLDER = 100;
const LOOK_MS = 20;
/** A watcher that added no watch for so long has them all. */
const DONE_MS = 500;

/**
 * A tree of `files` beside an ignored `node_modules` of `ignored` files: for each runner the ms from its start until
 * it watches everything, its resident memory then in MB, and the number of its watches; medians.
 */
export async function trees({ folder, env, rounds, files, ignored }) {
  if (!tells) return undefined;
  const project = join(folder, 'tree');
  fill(join(project, 'src'), files);
  fill(join(project, 'node_modules'), ignored);
  writeFileSync(join(project, 'package.json'), '{ "private": true }\n');
  copyFileSync(here('programs/echo.mjs'), join(project, 'server.mjs'));
  const runners = {
    mcpDev: [here('../bin/mcp-dev.cjs'), '--', process.execPath, 'server.mjs'],
    chokidar: [here('programs/watch-alone.mjs')],
    nodemon: [join(installed('nodemon'), 'bin/nodemon.js'), '--quiet', '--ext', 'js,mjs,json', 'server.mjs'],
  };
  const samples = Object.fromEntries(Object.keys(runners).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, args] of Object.entries(runners)) {
      console.error(`trees: ${name}`);
      // Of us a client comes first, and the watching after it.
      const greet = name === 'mcpDev';
      samples[name].push(await watched({ args, cwd: project, env, greet, least: files / FILES_IN_A_FOLDER }));
    }
  }
  const middle = (all, key) => median(all.map((sample) => sample[key]));
  return Object.fromEntries(
    Object.entries(samples).map(([name, all]) => [
      name,
      { ms: middle(all, 'ms'), mb: middle(all, 'mb'), watches: middle(all, 'watches') },
    ]),
  );
}

/** `least`: so many watches there are at the end, at least. */
async function watched({ args, cwd, env, greet, least }) {
  const start = performance.now();
  const session = new Session({ command: process.execPath, args, cwd, env });
  if (greet) await session.greet();
  let watches = 0;
  let at = start;
  while (watches < least || performance.now() - at < DONE_MS) {
    await sleep(LOOK_MS);
    const now = watchesOf(session.pid);
    if (now !== watches) at = performance.now();
    watches = now;
  }
  await settled(session.pid);
  const mb = resident(session.pid, 'VmRSS') / 1e6;
  await session.kill();
  return { ms: at - start, mb, watches };
}

function fill(folder, files) {
  for (let at = 0; at < files; at++) {
    const inside = join(folder, `part${Math.floor(at / FILES_IN_A_FOLDER)}`);
    if (at % FILES_IN_A_FOLDER === 0) mkdirSync(inside, { recursive: true });
    writeFileSync(join(inside, `file${at}.js`), `export const number = ${at};\n`);
  }
}
