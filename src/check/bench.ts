import type { RunConfig } from '../config/run-config.ts';
import type { JsonObject } from '../wire/message.ts';
import type { Deadline } from './deadline.ts';
import type { Judge } from './judge.ts';
import type { OfficialClient } from './official-client.ts';
import type { Era } from './report.ts';

/** A call that has to succeed. */
export interface WantedCall {
  readonly tool: string;
  readonly args: JsonObject;
}

/** What is asked of each server. Times are milliseconds. */
export interface CheckOptions {
  readonly expectTool: readonly string[];
  readonly calls: readonly WantedCall[];
  /** `auto`: the eras that the server speaks; the others have to work. */
  readonly era: 'auto' | 'both' | Era;
  /** For the whole run. */
  readonly timeout: number;
  readonly reload: boolean;
}

/** Something that runs, and can be ended at once. */
export interface Endable {
  killNow(): void;
}

/** What the checks of one server share. */
export interface Bench {
  readonly config: RunConfig;
  readonly options: CheckOptions;
  readonly judge: Judge;
  readonly deadline: Deadline;
  /** Everything that runs just now, for the way out of a crash. */
  readonly running: Set<Endable>;
  /** A new client of that era. */
  readonly client: (era: Era) => OfficialClient;
  /** What the server prints on stderr, as it comes. */
  readonly onStderr: (chunk: Buffer) => void;
}

/** How long one request other than a handshake or a call may take. */
export const REQUEST_MS = 10_000;
/** How long a call may take, as in the official clients. */
export const CALL_MS = 60_000;
/** The longest time that a timer takes. */
export const LONGEST_MS = 2 ** 31 - 1;
