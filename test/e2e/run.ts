import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { repositoryFile } from '../kit/messages.ts';
import { within } from '../kit/wait.ts';

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export const MCP_DEV = repositoryFile('bin/mcp-dev.cjs');

/** Runs `mcp-dev` with nothing on its stdin, to its end. */
export function runMcpDev(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return run(process.execPath, [MCP_DEV, ...args], options);
}

/** The same for any program. */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, NO_COLOR: '1', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exit = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const [stdout, stderr, [code, signal]] = await within(
    Promise.all([text(child.stdout), text(child.stderr), exit]),
    () => `the end of ${program} ${args.join(' ')}`,
  );
  return { code, signal, stdout, stderr };
}
