import { statSync } from 'node:fs';
import { type Given, type Layer, subject, type Usage, usage } from './layers.ts';
import type { OptionTable } from './option.ts';

/** What of the surroundings decides about colours. */
export interface ColorHost {
  readonly env: NodeJS.ProcessEnv;
  readonly stderrIsTTY: boolean;
}

/**
 * One value for each row of the table: flags win over the file, which wins over the defaults. `--verbose` and
 * `--quiet` are two ends of one thing: a flag for the one also wins over a file that asks for the other.
 */
export async function merge(table: OptionTable, flags: Layer, file: Layer): Promise<Layer | Usage> {
  for (const layer of [flags, file]) {
    const quiet = layer.get('quiet');
    if (quiet?.value === true && layer.get('verbose')?.value === true) {
      const other = layer === flags ? '--verbose' : '"verbose"';
      return usage(
        `${await subject('quiet', quiet.origin)} and ${other} exclude one another; keep one of them`,
      );
    }
  }
  const hasVerbosity = flags.has('verbose') || flags.has('quiet');
  const fromFile = (key: string) =>
    hasVerbosity && (key === 'verbose' || key === 'quiet') ? undefined : file.get(key);

  const merged = new Map<string, Given>();
  for (const [key, option] of Object.entries(table)) {
    const fallback: Given = { value: option.fallback, origin: { kind: 'default' } };
    merged.set(key, flags.get(key) ?? fromFile(key) ?? fallback);
  }
  return (await sharedFile(table, merged)) ?? merged;
}

/** One file that several options want to write: some of it would be lost. A device, such as /dev/null, can be shared. */
async function sharedFile(table: OptionTable, merged: Layer): Promise<Usage | undefined> {
  const writers = new Map<unknown, string>();
  for (const [key, option] of Object.entries(table)) {
    const given = merged.get(key);
    const isWritten = 'path' in option && (option.path === 'new file' || option.path === 'new recording');
    if (!isWritten || given?.value === undefined) continue;
    const other = writers.get(given.value);
    const isFile = statSync(String(given.value), { throwIfNoEntry: false })?.isFile() ?? true;
    if (other !== undefined && isFile) {
      const both = [other, await subject(key, given.origin)].join(' and ');
      return usage(`${both} name the same file, ${given.value}; each needs one of its own`);
    }
    writers.set(given.value, await subject(key, given.origin));
  }
  return undefined;
}

/** Colours on stderr: what was asked for, else NO_COLOR, else FORCE_COLOR, else whether it is a terminal that has them. */
export function resolveColor(given: Given | undefined, host: ColorHost): Given<boolean> {
  if (typeof given?.value === 'boolean') return { value: given.value, origin: given.origin };
  const { NO_COLOR, FORCE_COLOR, TERM } = host.env;
  if (NO_COLOR) return { value: false, origin: { kind: 'other', place: 'NO_COLOR' } };
  if (FORCE_COLOR !== undefined) {
    return { value: FORCE_COLOR !== '0', origin: { kind: 'other', place: 'FORCE_COLOR' } };
  }
  return { value: host.stderrIsTTY && TERM !== 'dumb', origin: { kind: 'default' } };
}
