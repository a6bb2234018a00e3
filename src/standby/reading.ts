import type { Loader } from './boundary.ts';

/** What the words of a command come to. */
export type Reading =
  | {
      readonly kind: 'node';
      /** The server's program, as it is written: relative to `cwd`. */
      readonly entry: string;
      readonly cwd: string;
      readonly loader: Loader;
      /** What is read before the standby waits and never again; absolute. */
      readonly files: readonly string[];
    }
  | Unfit;

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
