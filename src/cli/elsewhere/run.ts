import kleur from 'kleur';
import { meetingPlace, privateFolder } from '../../config/private-folder.ts';
import { call } from './call.ts';
import type { Elsewhere } from './command.ts';
import { logs } from './logs.ts';
import { reload } from './reload.ts';
import { select, selectOne } from './select.ts';
import { status } from './status.ts';
import { stop } from './stop.ts';
import { ExitCode, type Surroundings } from './surroundings.ts';
import { watchStatus } from './watch-status.ts';

/** Carries out a command that is for processes which run already. Resolves with the exit code. */
export async function runElsewhere(
  command: Elsewhere,
  { cwd, home, color }: { readonly cwd: string; readonly home: string; readonly color: boolean },
): Promise<number> {
  kleur.enabled = color;
  // Who stops reading, such as `head`, has read enough.
  process.stdout.on('error', () => process.exit(0));
  const complain = (text: string): void => void process.stderr.write(`mcp-dev: ${text}\n`);
  const folder = privateFolder();
  if (folder === undefined) {
    complain(`${meetingPlace()} is no private folder of this user, so that no mcp-dev can be found there`);
    return ExitCode.failed;
  }
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  return await carryOut(command, { folder, cwd, home, print, complain });
}

/** The same, with what it needs to know of where it runs. */
export async function carryOut(command: Elsewhere, place: Surroundings): Promise<number> {
  if (command.kind === 'status' && command.watch) return await watchStatus(command, place);
  const isForAll = command.kind === 'status' || command.kind === 'reload';
  const selected = await (isForAll ? select : selectOne)(command.name, place);
  if (selected.kind === 'refused') {
    if (command.kind === 'status' && command.json) place.print('[]');
    place.complain(selected.why);
    return selected.code;
  }
  const { instances } = selected;
  switch (command.kind) {
    case 'status':
      return await status(command, instances, place);
    case 'reload':
      return await reload(command, instances, place);
    case 'logs':
      return await logs(command, instances[0], place);
    case 'call':
      return await call(command, instances[0], place);
    case 'stop':
      return await stop(instances[0], place);
  }
}
