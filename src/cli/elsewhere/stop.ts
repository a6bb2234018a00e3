import { converse } from '../../control/connection.ts';
import type { Elsewhere } from './command.ts';
import { selectOne } from './select.ts';
import { ExitCode, type Surroundings } from './surroundings.ts';

/** Ends one, and waits until it is gone. */
export async function stop(
  command: Extract<Elsewhere, { kind: 'stop' }>,
  place: Surroundings,
): Promise<number> {
  const selected = await selectOne(command.name, place);
  if (selected.kind === 'refused') {
    place.complain(selected.why);
    return selected.code;
  }
  const [{ address, hello }] = selected.instances;
  for await (const reply of converse(address, { ask: 'stop' })) {
    if (reply.reply !== 'refused') continue;
    place.complain(reply.why);
    return ExitCode.failed;
  }
  place.print(`${hello.name} (process ${hello.pid}) has ended`);
  return ExitCode.done;
}
