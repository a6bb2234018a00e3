import { appendFileSync, renameSync, statSync } from 'node:fs';
import type { LogSink } from './reporter.ts';

/** When a log file has this many bytes it is put aside, in place of an earlier one. */
const LIMIT = 10 * 1024 * 1024;

/** The files that a log file consists of: itself, and the one that was put aside. */
export function logFiles(path: string): readonly [current: string, former: string] {
  return [path, `${path}.1`];
}

/**
 * A log file that is bounded in size. Lines are few and must be there after a crash, so each is written at
 * once. A file that cannot be written any more is reported once, and the session goes on without it.
 */
export function logFile(path: string, onError: (message: string) => void): LogSink {
  let size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  let open = true;
  return {
    write(text) {
      if (!open) return;
      try {
        if (size >= LIMIT) {
          renameSync(...logFiles(path));
          size = 0;
        }
        appendFileSync(path, text);
        size += Buffer.byteLength(text);
      } catch (error) {
        open = false;
        onError(`cannot write the log file ${path} any more: ${(error as Error).message}`);
      }
    },
  };
}
