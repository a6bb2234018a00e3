import kleur from 'kleur';
import { meetingPlace, privateFolder } from '../../config/private-folder.ts';
import { call } from './call.ts';
import type { Elsewhere } from './command.ts';
import { logs } from './logs.ts';
import { reload } from './reload.ts';
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

function carryOut(command: Elsewhere, place: Surroundings): Promise<number> {
  switch (command.kind) {
    case 'status':
      return command.watch ? watchStatus(command, place) : status(command, place);
    case 'reload':
      return reload(command, place);
    case 'logs':
      return logs(command, place);
    case 'call':
      return call(command, place);
    case 'stop':
      return stop(command, place);
  }
}
