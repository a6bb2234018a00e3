import { converse } from '../../control/connection.ts';
import type { Instance } from '../../control/instances.ts';
import type { Elsewhere } from './command.ts';
import { type Shown, statusLines } from './status-view.ts';
import { ExitCode, type Surroundings } from './surroundings.ts';

/** Of the objects that `--json` prints. */
const FORMAT = 1;
/** Where no terminal says how wide it is. */
export const COLUMNS = 120;

/** Says once how it goes. */
export async function status(
  command: Extract<Elsewhere, { kind: 'status' }>,
  instances: readonly Instance[],
  place: Surroundings,
): Promise<number> {
  const found = await Promise.all(instances.map(look));
  const shown = found.filter((one) => typeof one !== 'string');
  const unknown = found.filter((one) => typeof one === 'string');
  if (command.json) place.print(JSON.stringify(shown.map(toJson), undefined, 2));
  else if (shown.length > 0) place.print(page(shown, process.stdout.columns || COLUMNS).join('\n'));
  for (const why of unknown) place.complain(why);
  return unknown.length === 0 && shown.every(isWell) ? ExitCode.done : ExitCode.failed;
}

/** All of them as a page of so many columns. */
export function page(shown: readonly Shown[], columns: number): readonly string[] {
  const reloads = shown.length === 1 ? 8 : 3;
  return shown.flatMap((one, index) => {
    const lines = statusLines(one, { columns, now: Date.now(), reloads });
    return index === 0 ? lines : ['', ...lines];
  });
}

/** One of them as `--json` shows it. */
export function toJson({ hello, status }: Shown): object {
  const { pid, version, cwd, root, startedAt } = hello;
  return { format: FORMAT, instance: { pid, version, cwd, root, startedAt }, ...status };
}

/** How one of them goes, or why that cannot be known. */
async function look({ address, hello }: Instance): Promise<Shown | string> {
  for await (const reply of converse(address, { ask: 'status', follow: false })) {
    if (reply.reply === 'status') return { hello, status: reply.status, at: Date.now() };
    if (reply.reply === 'refused') return `${hello.name}: ${reply.why}`;
  }
  return `${hello.name} ended before it had answered`;
}

function isWell({ status: { state } }: Shown): boolean {
  return state === 'serving' || state === 'building' || state === 'starting';
}
