import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/**
 * The ways from a client to the same server: `direct`, through a bare `pipe`, and through `mcp-dev`; and
 * `node`, which is no way to anything, to compare starts with. Everything lives in a `folder` of its own, and runs
 * with `env`.
 */
export function prepareSubjects() {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-dev-bench-'));
  const project = join(folder, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "private": true }\n');
  const server = compileServer(project);
  // An extra file of certificates is read at each start of node, which has nothing to do with us.
  const { NODE_EXTRA_CA_CERTS: _, ...inherited } = process.env;
  const env = { ...inherited, XDG_CACHE_HOME: join(folder, 'cache') };
  const subject = (command, ...args) => ({ command, args, cwd: project, env });
  const node = (...args) => subject(process.execPath, ...args);
  return {
    kind: server.kind,
    folder,
    env,
    remove: () => rmSync(folder, { recursive: true, force: true }),
    direct: subject(...server.command),
    pipe: node(here('programs/relay.mjs'), ...server.command),
    mcpDev: node(here('../bin/mcp-dev.cjs'), '--quiet', '--', ...server.command),
    node: node(here('programs/node-alone.mjs')),
  };
}

function compileServer(project) {
  const program = join(project, 'echo');
  const compiled = spawnSync('cc', ['-O2', '-o', program, here('programs/echo.c')], { stdio: 'inherit' });
  return compiled.status === 0
    ? { kind: 'C', command: [program] }
    : { kind: 'node (no C compiler)', command: [process.execPath, here('programs/echo.mjs')] };
}
