import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Launch } from '../generation/exit.ts';
import type { Loader } from './boundary.ts';
import { readNode, readNodeOptions, readTsx } from './node-words.ts';
import { readNpm, readNpx } from './npm-words.ts';
import { programName, type Reading, type Unfit, unfit } from './reading.ts';

/** Whether a process of a server can wait for its turn, and how. */
export type Plan =
  | {
      readonly kind: 'node';
      /** The server's program, absolute and without links; a build may have to write it yet. */
      readonly entry: string;
      readonly loader: Loader;
      /** What is read before the standby waits and never again; absolute. */
      readonly files: readonly string[];
    }
  | Unfit;

/**
 * Only where all that comes before the server does nothing of its own: else that would be done when the standby
 * is started and not at its turn, and what is old by then would be served as new. For the same reason nothing of
 * the project may be loaded before its program.
 */
export function planStandby({ command, args, cwd, env }: Launch): Plan {
  if (process.platform === 'win32') return unfit('Windows has no pipes with names in its file system');
  const everywhere = env.NODE_OPTIONS ?? '';
  if (/["\\]/.test(everywhere)) return unfit('NODE_OPTIONS has quotes');
  const options = readNodeOptions(everywhere.split(/\s+/).filter(Boolean), cwd);
  if (options.kind === 'none') return options;
  const reading = readCommand([command, ...args], cwd);
  if (reading.kind === 'none') return reading;
  return {
    kind: 'node',
    entry: realIfThere(resolve(reading.cwd, reading.entry)),
    loader: options.loader === 'tsx' ? 'tsx' : reading.loader,
    files: [...options.files, ...reading.files],
  };
}

function readCommand([command = '', ...args]: readonly string[], cwd: string): Reading {
  switch (command === process.execPath ? 'node' : programName(command)) {
    case 'node':
      return readNode(args, cwd);
    case 'tsx':
      return readTsx(args, cwd);
    case 'npx':
      return readNpx(args, cwd);
    case 'npm':
      return readNpm(args, cwd, readCommand);
    default:
      return unfit(`${programName(command)} may do something of its own before the server`);
  }
}

function realIfThere(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return path;
  }
}
