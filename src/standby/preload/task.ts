import { realpathSync } from 'node:fs';
import { withoutOption } from '../node-options.ts';

/** Carries the task, as JSON, through all the programs that come before the server. */
export const TASK_VARIABLE = 'MCP_DEV_STANDBY';

/** What a module that is preloaded into node is to do, and in which process. */
export interface Task {
  /** The server's program, absolute and without links: everything else that node runs on the way is left alone. */
  readonly entry: string;
  /** Our word in `NODE_OPTIONS`. */
  readonly option: string;
  /** Where to tell: a file to write for a report, a folder for a standby. */
  readonly place: string;
}

/**
 * The task, if this process is the server: only then is it taken out of the environment, which from then on is
 * what it would be without us, for the server, its threads and the processes that it starts.
 */
export function takeTask(): Task | undefined {
  const { env } = process;
  const text = env[TASK_VARIABLE];
  if (text === undefined) return undefined;
  const task: Task = JSON.parse(text);
  if (realPath(process.argv[1]) !== task.entry) return undefined;
  delete env[TASK_VARIABLE];
  const options = withoutOption(env.NODE_OPTIONS ?? '', task.option);
  if (options === undefined) delete env.NODE_OPTIONS;
  else env.NODE_OPTIONS = options;
  return task;
}

function realPath(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    return realpathSync(path);
  } catch {
    // What a build will write is not there yet.
    return path;
  }
}
