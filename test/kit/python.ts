import { spawnSync } from 'node:child_process';

/** The Python behind the name `python3`, which may be a version manager's script; version such as 3.12. */
export function interpreter(): { readonly executable: string; readonly version: string } {
  const look =
    'import os, sys; print(os.path.realpath(sys.executable)); print("%d.%d" % sys.version_info[:2])';
  const { stdout } = spawnSync('python3', ['-c', look], { encoding: 'utf8' });
  const [executable = '', version = ''] = stdout.trim().split('\n');
  return { executable, version };
}
