import kleur from 'kleur';
import { converse } from '../../control/connection.ts';
import type { Instance } from '../../control/instances.ts';
import type { LogLine, LogSource } from '../../journal/log-ring.ts';
import type { Elsewhere } from './command.ts';
import { ExitCode, type Surroundings } from './surroundings.ts';

const PAINT = {
  server: kleur.cyan,
  build: kleur.magenta,
  'mcp-dev': kleur.green,
  messages: kleur.blue,
} as const satisfies Record<LogSource, unknown>;
const WIDTH = Math.max(...Object.keys(PAINT).map(({ length }) => length));

/** Prints the end of the log, and with `follow` what is added to it, until the server's session ends. */
export async function logs(
  command: Extract<Elsewhere, { kind: 'logs' }>,
  { address }: Instance,
  place: Surroundings,
): Promise<number> {
  const { source, lines, generation, follow } = command;
  for await (const reply of converse(address, { ask: 'logs', source, lines, generation, follow })) {
    if (reply.reply === 'line') place.print(wordLine(reply.line));
    else if (reply.reply === 'refused') {
      place.complain(reply.why);
      return ExitCode.failed;
    }
  }
  return ExitCode.done;
}

/** When, from where, of which generation, and what. */
function wordLine({ time, source, generation, text }: LogLine): string {
  const from = PAINT[source](source.padEnd(WIDTH));
  const which = generation === undefined ? '' : kleur.dim(` #${generation}`);
  return `${kleur.dim(wordTime(time))} ${from}${which} ${text}`;
}

/** The time of day, here, to the millisecond. */
function wordTime(ms: number): string {
  const date = new Date(ms);
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()];
  return `${parts.map((part) => String(part).padStart(2, '0')).join(':')}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}
