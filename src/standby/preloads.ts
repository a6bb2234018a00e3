import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Launch } from '../generation/exit.ts';
import { packageFolder } from '../system/package.ts';
import { nodeOption, withOption } from './node-options.ts';
import type { Fit } from './plan.ts';
import { TASK_VARIABLE, type Task } from './preload/task.ts';

/** What is loaded into a server before its own program, from the folder of all that is built. */
const NODE = { report: 'standby-report.cjs', wait: 'standby.mjs' } as const;
/** A folder with a `sitecustomize.py`, which Python loads. */
const PYTHON = 'standby-python';

type Role = keyof typeof NODE;

/** A generation that tells in the file `place` that it loads what we give it; undefined: it can't be given anything. */
export function withReport(launch: Launch, plan: Fit, place: string): Launch | undefined {
  return dressed(launch, plan, 'report', place);
}

/** A process that waits for its turn, as the files in the folder `place` say. */
export function withWait(launch: Launch, plan: Fit, place: string): Launch | undefined {
  return dressed(launch, plan, 'wait', place);
}

function dressed(launch: Launch, plan: Fit, role: Role, place: string): Launch | undefined {
  const url = pathToFileURL(join(packageFolder(), 'dist', plan.kind === 'node' ? NODE[role] : PYTHON));
  // node would refuse to start without it, and our package may be replaced while we run.
  if (!existsSync(url)) return undefined;
  // There is no way to write such a folder there.
  if (plan.kind === 'python' && fileURLToPath(url).includes(delimiter)) return undefined;
  const task = { plan, role, place, url };
  return { ...launch, env: { ...launch.env, ...variables(launch.env, task) } };
}

function variables(
  { NODE_OPTIONS, PYTHONPATH }: Launch['env'],
  {
    plan,
    role,
    place,
    url,
  }: { readonly plan: Fit; readonly role: Role; readonly place: string; readonly url: URL },
): Launch['env'] {
  const path = fileURLToPath(url);
  switch (plan.kind) {
    case 'node': {
      // By --require, which leaves a program of CommonJS to node's own loader for it; but what has to wait for
      // ES modules before anything else is loaded by --import.
      const option = role === 'report' ? nodeOption('--require', path) : nodeOption('--import', url.href);
      const task: Task = { entry: plan.entry, option, place };
      return { NODE_OPTIONS: withOption(NODE_OPTIONS, option), [TASK_VARIABLE]: JSON.stringify(task) };
    }
    case 'python':
      return {
        // An empty one is none for Python, and the same as an entry would be the current folder.
        PYTHONPATH: PYTHONPATH ? `${path}${delimiter}${PYTHONPATH}` : path,
        // No JSON, as the module for it would have to be loaded.
        [TASK_VARIABLE]: [role, place, path, ...plan.words].join('\x1f'),
      };
  }
}
