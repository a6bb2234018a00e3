import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Launch } from '../generation/exit.ts';
import { nodeOption, withOption } from './node-options.ts';
import type { Plan } from './plan.ts';
import { TASK_VARIABLE, type Task } from './preload/task.ts';

/** What is loaded into a server before its own program, from the folder of our own bundle. */
const REPORT = 'standby-report.cjs';
const WAIT = 'standby.mjs';

/** A generation that tells in the file `place` that it loads what we give it; undefined: it can't be given anything. */
export function withReport(launch: Launch, plan: Plan, place: string): Launch | undefined {
  // By --require, which leaves a program of CommonJS to node's own loader for it.
  return dressed(launch, plan, place, REPORT, (url) => nodeOption('--require', fileURLToPath(url)));
}

/** A process that waits for its turn, as the files in the folder `place` say. */
export function withWait(launch: Launch, plan: Plan, place: string): Launch | undefined {
  // By --import, as it has to wait for ES modules before anything else is loaded.
  return dressed(launch, plan, place, WAIT, (url) => nodeOption('--import', url.href));
}

function dressed(
  launch: Launch,
  plan: Plan,
  place: string,
  name: string,
  optionFor: (url: URL) => string,
): Launch | undefined {
  if (plan.kind === 'none') return undefined;
  const url = new URL(name, import.meta.url);
  // node would refuse to start without it, and our package may be replaced while we run.
  if (!existsSync(url)) return undefined;
  const option = optionFor(url);
  const task: Task = { entry: plan.entry, option, place };
  const env = {
    ...launch.env,
    NODE_OPTIONS: withOption(launch.env.NODE_OPTIONS, option),
    [TASK_VARIABLE]: JSON.stringify(task),
  };
  return { ...launch, env };
}
