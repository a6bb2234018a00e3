import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Launch } from '../generation/exit.ts';
import type { Loader } from './boundary.ts';
import { type NodeOptions, readNode, readNodeOptions, readTsx } from './node-words.ts';
import { readNpm, readNpx } from './npm-words.ts';
import { readPython } from './python-words.ts';
import { programName, type Reading, type Unfit, unfit } from './reading.ts';

/** How a process of a server waits for its turn. */
export type Fit =
  | {
      readonly kind: 'node';
      /** The server's program, absolute and without links; a build may have to write it yet. */
      readonly entry: string;
      readonly loader: Loader;
      /** What is read before the standby waits and never again; absolute. */
      readonly files: readonly string[];
    }
  | {
      readonly kind: 'python';
      /** Absolute and without links; the folder where Python starts to look, where a module is named. */
      readonly entry: string;
      /** Python's own words up to the program. */
      readonly words: readonly string[];
    };

/** Whether it can. */
export type Plan = Fit | Unfit;

/**
 * Only where all that comes before the server does nothing of its own: else that would be done when the standby
 * is started and not at its turn, and what is old by then would be served as new. For the same reason nothing of
 * the project may be loaded before its program.
 */
export function planStandby({ command, args, cwd, env }: Launch): Plan {
  if (process.platform === 'win32') return unfit('Windows has no pipes with names in its file system');
  const reading = readCommand([command, ...args], cwd);
  switch (reading.kind) {
    case 'none':
      return reading;
    case 'python': {
      const { program, words } = reading;
      const entry = program.kind === 'script' ? resolve(reading.cwd, program.path) : reading.cwd;
      return { kind: 'python', entry: realIfThere(entry), words };
    }
    case 'node': {
      const options = readEverywhere(env.NODE_OPTIONS ?? '', cwd);
      if (options.kind === 'none') return options;
      return {
        kind: 'node',
        entry: realIfThere(resolve(reading.cwd, reading.entry)),
        loader: options.loader === 'tsx' ? 'tsx' : reading.loader,
        files: [...options.files, ...reading.files],
      };
    }
  }
}

/** Reads what every node on the way is told. */
function readEverywhere(options: string, cwd: string): NodeOptions | Unfit {
  if (/["\\]/.test(options)) return unfit('NODE_OPTIONS has quotes');
  return readNodeOptions(options.split(/\s+/).filter(Boolean), cwd);
}

function readCommand([command = '', ...args]: readonly string[], cwd: string): Reading {
  switch (command === process.execPath ? 'node' : withoutMinor(programName(command))) {
    case 'node':
      return readNode(args, cwd);
    case 'tsx':
      return readTsx(args, cwd);
    case 'npx':
      return readNpx(args, cwd);
    case 'npm':
      return readNpm(args, cwd, readCommand);
    case 'python':
    case 'python3':
      return readPython(args, cwd);
    default:
      return unfit(`${programName(command)} may do something of its own before the server`);
  }
}

/** `python3` for `python3.12`. */
function withoutMinor(name: string): string {
  return name.replace(/^(python3)\.\d+$/, '$1');
}

function realIfThere(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return path;
  }
}
