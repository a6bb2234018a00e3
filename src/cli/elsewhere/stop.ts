import { converse } from '../../control/connection.ts';
import type { Instance } from '../../control/instances.ts';
import { ExitCode, type Surroundings } from './surroundings.ts';

/** Ends one, and waits until it is gone. */
export async function stop({ address, hello }: Instance, place: Surroundings): Promise<number> {
  for await (const reply of converse(address, { ask: 'stop' })) {
    if (reply.reply !== 'refused') continue;
    place.complain(reply.why);
    return ExitCode.failed;
  }
  place.print(`${hello.name} (process ${hello.pid}) has ended`);
  return ExitCode.done;
}
