import type { Failure } from '../session/failure.ts';

/** What programs say when something that they need is in use by another one. */
const TAKEN =
  /EADDRINUSE|address (is )?already in use|only one usage of each socket address|port \S+ is (already )?(in use|taken|allocated)|EBUSY|resource busy|device or resource busy|database is locked|(could not|cannot|can't|failed to|unable to) (acquire|obtain|get|take) (the |a |an )?(\S+ )?lock|lock(file)? .*(held|exists|in use)|already (locked|running)|name .*(already )?(in use|taken)|EEXIST.*\b(lock|pid|sock)/i;

/** What builds say when they cannot write a program because it runs. */
const LOCKED =
  /ETXTBSY|text file busy|EBUSY|resource busy|being used by another process|EPERM: operation not permitted, (unlink|rename|open)|LNK1104|MSB3027/i;

/** Whether a start failed because another process has what it needs: a port, a lock, a name. */
export function isTaken({ summary, text }: Failure): boolean {
  return TAKEN.test(summary) || TAKEN.test(text);
}

/** Whether a build failed because the program that it writes runs. */
export function isLocked({ text }: Failure): boolean {
  return LOCKED.test(text);
}
