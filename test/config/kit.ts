import { dirname } from 'node:path';
import { resolve } from '../../src/cli/resolve.ts';
import type { Host, RunConfig } from '../../src/config/run-config.ts';
import type { TempProject } from '../kit/temp-project.ts';

/** A process started in the project; what lies above the project is out of reach. */
export function hostOf(project: TempProject, more: Partial<Host> = {}): Host {
  return {
    cwd: project.folder,
    env: {},
    home: dirname(project.folder),
    stdoutIsTTY: false,
    stderrIsTTY: false,
    ...more,
  };
}

/** The configuration of a command line that can be run. */
export async function runOf(argv: readonly string[], host: Host): Promise<RunConfig> {
  const resolved = await resolve(argv, host);
  if (resolved.kind !== 'run') throw new Error(`not run: ${JSON.stringify(resolved)}`);
  return resolved.config;
}

/** The sentence for a command line that can't be run. */
export async function complaintOf(argv: readonly string[], host: Host): Promise<string> {
  const resolved = await resolve(argv, host);
  if (resolved.kind !== 'usage') throw new Error(`no complaint: ${JSON.stringify(resolved)}`);
  return resolved.message;
}

/** The lines of `--dump`, each as key, value and origin. */
export async function dumpOf(argv: readonly string[], host: Host): Promise<Map<string, [unknown, string]>> {
  const resolved = await resolve([...argv], host);
  if (resolved.kind !== 'dump') throw new Error(`no dump: ${JSON.stringify(resolved)}`);
  const lines = resolved.text.trimEnd().split('\n');
  return new Map(
    lines.map((line) => {
      const [, key, value, origin] = /^(\S+) +(\S.*?) {2,}(\S.*)$/.exec(line) ?? [];
      if (key === undefined || origin === undefined) throw new Error(`not a line of a dump: ${line}`);
      return [key, [JSON.parse(value!) as unknown, origin]];
    }),
  );
}
