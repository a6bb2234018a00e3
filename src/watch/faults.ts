/** A part of what should be watched is not, or only by polling. */
export interface Fault {
  /** One sentence: what is not covered, what is done instead, and what the user can do. */
  readonly message: string;
}

/**
 * @param code why the folders could not be watched, such as ENOSPC
 * @param folders absolute, at least one
 * @param instead what is done from now on
 */
export function describeFault(code: string, folders: readonly string[], instead: string): Fault {
  const [first, ...others] = folders;
  const which = others.length === 0 ? `${first}` : `${first} and ${others.length} more folders`;
  const { reason, remedy } = explain(code);
  const message = `file events do not cover ${which}: ${reason}; ${instead}; ${remedy}`;
  return { message };
}

function explain(code: string): { reason: string; remedy: string } {
  switch (code) {
    case 'ENOSPC':
      return {
        reason: 'the system allows no more watches',
        remedy: 'raise fs.inotify.max_user_watches (sysctl) or narrow --watch',
      };
    case 'EMFILE':
    case 'ENFILE':
      return {
        reason: 'too many programs watch files, or too many files are open',
        remedy: 'raise fs.inotify.max_user_instances (sysctl) or the limit of open files (ulimit -n)',
      };
    case 'EACCES':
    case 'EPERM':
      return { reason: 'permission denied', remedy: 'make it readable or leave it out with --ignore' };
    default:
      return { reason: code, remedy: 'narrow --watch or use --poll' };
  }
}
