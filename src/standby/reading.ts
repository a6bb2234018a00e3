import type { Loader } from './boundary.ts';

/** What the words of a command come to. */
export type Reading =
  | NodeProgram
  | {
      readonly kind: 'python';
      readonly cwd: string;
      readonly program: PythonProgram;
      /** Python's own words up to the program, which tell this process from others on the way. */
      readonly words: readonly string[];
    }
  | Unfit;

export type PythonProgram =
  /** The path as it is written. */
  | { readonly kind: 'script'; readonly path: string }
  /** By -m; Python looks for it when it runs it. */
  | { readonly kind: 'module' };

/** node runs the server. */
export interface NodeProgram {
  readonly kind: 'node';
  /** The server's program, as it is written: relative to `cwd`. */
  readonly entry: string;
  readonly cwd: string;
  readonly loader: Loader;
  /** What is read before the standby waits and never again; absolute. */
  readonly files: readonly string[];
}

/** No process of this command can wait for its turn; the reason is one clause. */
export interface Unfit {
  readonly kind: 'none';
  readonly reason: string;
}

export function unfit(reason: string): Unfit {
  return { kind: 'none', reason };
}

/** How a program is named: `node` for `/usr/bin/node` and `C:\node.exe`. */
export function programName(command: string): string {
  return command
    .replace(/^.*[\\/]/, '')
    .replace(/\.(?:exe|cmd)$/i, '')
    .toLowerCase();
}
