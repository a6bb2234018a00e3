import { realpathSync } from 'node:fs';
import { projectRoot } from '../../config/project.ts';
import { findInstances, type Instance } from '../../control/instances.ts';
import { ExitCode, type Surroundings } from './surroundings.ts';

/** Which processes a command is for, at least one; or why none, and the exit code then. */
export type Selected =
  | { readonly kind: 'selected'; readonly instances: readonly [Instance, ...Instance[]] }
  | { readonly kind: 'refused'; readonly code: number; readonly why: string };

const START =
  'a client that has one in its configuration starts it, and "mcp-dev --terminal -- <command>" does here';

/** Those with that name; without one, those that were started in this folder or its project, or else all. */
export async function select(name: string | undefined, place: Surroundings): Promise<Selected> {
  const { instances, silent } = await findInstances(place.folder);
  const chosen = name === undefined ? here(instances, place) : instances.filter((one) => isCalled(one, name));
  const [first, ...others] = chosen;
  if (first !== undefined) return { kind: 'selected', instances: [first, ...others] };
  return { kind: 'refused', code: ExitCode.failed, why: wordNone(name, instances, silent) };
}

/** The same for a command that can be for one only. */
export async function selectOne(name: string | undefined, place: Surroundings): Promise<Selected> {
  const selected = await select(name, place);
  if (selected.kind === 'refused' || selected.instances.length === 1) return selected;
  const why = `there are several, say which by name or process: ${selected.instances.map(wordInstance).join(', ')}`;
  return { kind: 'refused', code: ExitCode.usage, why };
}

function here(instances: readonly Instance[], { cwd, home }: Surroundings): readonly Instance[] {
  const project = projectRoot(cwd, home);
  const places = [real(cwd), ...(typeof project === 'object' ? [real(project.folder)] : [])];
  const near = instances.filter(({ hello }) =>
    [hello.cwd, hello.root].some((folder) => places.includes(real(folder))),
  );
  return near.length > 0 ? near : instances;
}

function isCalled({ hello }: Instance, name: string): boolean {
  return hello.name === name || String(hello.pid) === name;
}

function wordNone(
  name: string | undefined,
  instances: readonly Instance[],
  silent: readonly number[],
): string {
  const suspended = silent.map((pid) => `process ${pid}, which does not answer, as if suspended`);
  const others = [...instances.map(wordInstance), ...suspended].join(', ');
  if (others === '') return `no mcp-dev runs: ${START}`;
  return `no mcp-dev ${name === undefined ? 'answers' : `is called ${name}`}; there is ${others}`;
}

function wordInstance({ hello }: Instance): string {
  return `${hello.name} (process ${hello.pid}, in ${hello.root})`;
}

/** Without symlinks, as far as it is still there. */
function real(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    return path;
  }
}
