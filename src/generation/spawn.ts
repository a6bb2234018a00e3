import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import spawn from 'cross-spawn';
import type { Mark } from './descendants.ts';
import type { Launch } from './exit.ts';

/**
 * Starts a process of the server, without a shell, with pipes and with the mark that its descendants are known by. Most
 * failures come as an event of the child, which has no pid then; E2BIG and the like are thrown.
 */
export function spawnServer(launch: Launch, mark: Mark): ChildProcessWithoutNullStreams {
  return spawn(launch.command, launch.args, {
    cwd: launch.cwd,
    env: { ...launch.env, [mark.name]: mark.value },
    stdio: ['pipe', 'pipe', 'pipe'],
    // Its own group, so that one signal reaches all of it. (On Windows this would open a console window.)
    detached: process.platform !== 'win32',
    windowsHide: true,
  }) as ChildProcessWithoutNullStreams;
}
