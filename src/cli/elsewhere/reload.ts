import kleur from 'kleur';
import { converse } from '../../control/connection.ts';
import type { Instance } from '../../control/instances.ts';
import { shortenIn, wordReport } from '../../report/wording.ts';
import type { Elsewhere } from './command.ts';
import { ExitCode, type Surroundings } from './surroundings.ts';

/** Reloads all that are meant, at the same time, and says what came of it. */
export async function reload(
  command: Extract<Elsewhere, { kind: 'reload' }>,
  instances: readonly Instance[],
  place: Surroundings,
): Promise<number> {
  const codes = await Promise.all(
    instances.map(async (instance) => {
      const { code, text } = await reloadOne(instance, command.reason);
      place.print(instances.length === 1 ? text : `${kleur.bold(instance.hello.name)} ${text}`);
      return code;
    }),
  );
  return Math.max(...codes);
}

interface Outcome {
  readonly code: number;
  readonly text: string;
}

async function reloadOne({ address, hello }: Instance, reason: string | undefined): Promise<Outcome> {
  for await (const reply of converse(address, { ask: 'reload', reason })) {
    if (reply.reply === 'refused') return { code: ExitCode.failed, text: reply.why };
    if (reply.reply !== 'reload' || reply.outcome.event === 'pending') continue;
    const { outcome } = reply;
    const line = wordReport(outcome, shortenIn(hello.root));
    if (outcome.event === 'ready') return { code: ExitCode.done, text: `${kleur.green('✔')} ${line}` };
    const text = [`${kleur.red('✘')} ${line}`, outcome.failure.text.trimEnd()].filter((part) => part !== '');
    return { code: ExitCode.failed, text: text.join('\n') };
  }
  return { code: ExitCode.failed, text: `${hello.name} ended before the reload had` };
}
