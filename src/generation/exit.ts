import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';

/** What is started: a command and its arguments as they are, without a shell, in a folder (absolute path). */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** How a process ended. `code` and `signal` are as in node's 'exit' event: exactly one of them is not null. */
export type Exit =
  | { readonly kind: 'exited'; readonly code: number | null; readonly signal: NodeJS.Signals | null }
  | { readonly kind: 'not-started'; readonly message: string };

/** For people: `exit code 1`, `SIGSEGV`, `command not found: foo`. */
export function describeExit(exit: Exit): string {
  switch (exit.kind) {
    case 'exited':
      return exit.signal ?? `exit code ${exit.code}`;
    case 'not-started':
      return exit.message;
  }
}

/**
 * The sentence for a spawn that failed. The system's own code says ENOENT for a missing command, a missing
 * folder and a missing interpreter alike, so the disk is asked which of them it is.
 */
export function explainStartFailure(launch: Launch, error: NodeJS.ErrnoException): string {
  const folder = statSync(launch.cwd, { throwIfNoEntry: false });
  if (folder === undefined) return `the folder ${launch.cwd} does not exist`;
  if (!folder.isDirectory()) return `${launch.cwd} is not a folder`;
  switch (error.code) {
    case 'ENOENT':
      return isPath(launch.command) && existsSync(resolve(launch.cwd, launch.command))
        ? `cannot start ${launch.command}: the interpreter that its first line names does not exist`
        : `command not found: ${launch.command}`;
    case 'EACCES':
      return canEnter(launch.cwd)
        ? `not executable: ${launch.command}`
        : `no permission to enter the folder ${launch.cwd}`;
    default:
      return `cannot start ${launch.command}: ${error.message}`;
  }
}

function isPath(command: string): boolean {
  return command.includes('/') || (process.platform === 'win32' && command.includes('\\'));
}

function canEnter(folder: string): boolean {
  try {
    accessSync(folder, constants.X_OK);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return false;
    throw error;
  }
}
