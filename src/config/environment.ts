import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { type Usage, usage } from './layers.ts';

/** The variables of the build and the server. */
export interface Environment {
  readonly kind: 'environment';
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Reads env files: a later file wins over an earlier one, and `clientEnv`, what the client gave us, over all.
 * Read again after one changed; a file that can't be read is named, and nothing is taken from the others.
 */
export function readEnvironment(
  envFiles: readonly string[],
  clientEnv: NodeJS.ProcessEnv,
): Environment | Usage {
  const fromFiles: NodeJS.ProcessEnv = {};
  for (const file of envFiles) {
    try {
      Object.assign(fromFiles, parseEnv(readFileSync(file, 'utf8')));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      return usage(`cannot read the env file ${file} (${code})`);
    }
  }
  return { kind: 'environment', env: { ...fromFiles, ...clientEnv } };
}
