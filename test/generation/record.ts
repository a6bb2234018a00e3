import { onTestFinished } from 'vitest';
import { type Exit, type Launch, type ServerProcess, startProcess } from '../../src/generation/process.ts';
import { PUPPET, type Puppet, PuppetHub } from '../kit/puppet-hub.ts';
import { tempProject } from '../kit/temp-project.ts';
import { Arrivals } from '../kit/wait.ts';

/** A process under test and what it reported. */
export interface Recorded {
  readonly process: ServerProcess;
  /** The names of its events in order; chunks that follow one another of one stream are one event. */
  readonly log: Arrivals<string>;
  stdout(): Buffer;
  stderr(): Buffer;
  exit(): Promise<Exit>;
}

/** Starts it and records it; whatever is left of it ends with the test. */
export function record(launch: Partial<Launch> & { readonly command: string }): Recorded {
  const log = new Arrivals<string>(`the events of ${launch.command}`);
  const exits = new Arrivals<Exit>(`the exits of ${launch.command}`);
  const output: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  const take = (stream: 'stdout' | 'stderr') => (chunk: Buffer) => {
    output[stream].push(chunk);
    if (log.all.at(-1) !== stream) log.push(stream);
  };
  const process_ = startProcess(
    { args: [], cwd: process.cwd(), env: process.env, ...launch },
    {
      onStdout: take('stdout'),
      onStdoutEnd: () => log.push('stdout end'),
      onStderr: take('stderr'),
      onStdinDrain: () => log.push('drain'),
      onStdinClosed: () => log.push('stdin closed'),
      onExit: (exit) => {
        log.push('exit');
        exits.push(exit);
      },
    },
  );
  onTestFinished(() => process_.killNow());
  return {
    process: process_,
    log,
    stdout: () => Buffer.concat(output.stdout),
    stderr: () => Buffer.concat(output.stderr),
    exit: async () => exits.all[await exits.find(() => true, 'exit')] as Exit,
  };
}

/** A node program of one line. */
export function recordNode(program: string, ...args: string[]): Recorded {
  return record({ command: process.execPath, args: ['-e', program, ...args] });
}

export type RecordedPuppet = Recorded & { readonly puppet: Puppet; readonly hub: PuppetHub };

/** A puppet with that configuration. */
export async function recordPuppet(config: object = {}): Promise<RecordedPuppet> {
  const hub = await PuppetHub.open();
  const project = tempProject({ 'puppet.json': JSON.stringify(config) });
  const [command, ...args] = PUPPET;
  const env = { ...process.env, ...hub.env(project.path('puppet.json')) };
  const recorded = record({ command, args, env });
  return { ...recorded, hub, puppet: await hub.next(1) };
}
