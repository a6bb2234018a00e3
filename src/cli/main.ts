import { isatty } from 'node:tty';
import { homeFolder } from '../config/home-folder.ts';
import { type Resolved, resolve } from './resolve.ts';
import { run } from './run.ts';
import { flushed } from './stdio.ts';

/** So many ms has a client that was left, or somebody who ended us, to read the last of it. */
const FLUSH_MS = 500;

export type Main = typeof main;

/**
 * The command line, from arguments to exit code; by then everything is said.
 *
 * @param keepCode keeps what was compiled so far for later starts; it takes some ms, and is called when these are there
 */
export async function main(argv: readonly string[], keepCode: () => void): Promise<number> {
  const cwd = currentFolder();
  if (cwd === undefined) return refuse('the folder that it was started in does not exist any more');
  const resolved = await resolve(argv, {
    cwd,
    env: process.env,
    home: homeFolder(),
    // To ask the streams would make them, which takes time that the first start can use.
    stdoutIsTTY: isatty(1),
    stderrIsTTY: isatty(2),
  });
  const code = await carryOut(resolved, cwd, keepCode);
  // Who asked for something may read it at leisure, as in a pager.
  const isInHaste = resolved.kind === 'run' || code > 128;
  await flushed(isInHaste ? FLUSH_MS : undefined);
  return code;
}

async function carryOut(resolved: Resolved, cwd: string, keepCode: () => void): Promise<number> {
  switch (resolved.kind) {
    case 'help':
    case 'version':
    case 'dump':
      // Who stops reading, such as `head`, has read enough.
      process.stdout.on('error', () => process.exit(0));
      process.stdout.write(`${resolved.text.trimEnd()}\n`);
      return 0;
    case 'usage':
      return refuse(resolved.message);
    case 'replay': {
      const { replay } = await import('./replay.ts');
      return await replay(resolved.config);
    }
    case 'demo': {
      const { demo } = await import('./demo.ts');
      return await demo(resolved.color);
    }
    case 'check': {
      const { check } = await import('./check.ts');
      return await check(resolved.config);
    }
    case 'elsewhere': {
      const { runElsewhere } = await import('./elsewhere/run.ts');
      return await runElsewhere(resolved.command, { cwd, home: homeFolder(), color: resolved.color });
    }
    case 'run': {
      if (process.env.MCP_DEV !== undefined) {
        return refuse(
          'this is mcp-dev started by mcp-dev: its command starts itself again; name the command of the server',
        );
      }
      return await run(resolved.config, keepCode);
    }
  }
}

function currentFolder(): string | undefined {
  try {
    return process.cwd();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function refuse(message: string): number {
  process.stderr.write(`mcp-dev: ${message}\n`);
  return 2;
}
