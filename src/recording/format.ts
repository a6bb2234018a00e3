/**
 * A recording: NDJSON, the header first, then a line for each message in the order in which they came and went.
 */

/** The first line: what was recorded, and how. */
export interface Header {
  /** The version of this format. */
  readonly recording: 1;
  /** When it began, ISO 8601. */
  readonly time: string;
  /** Such as `mcp-dev 1.0.0`. */
  readonly by: string;
  readonly server: string;
  readonly command: readonly string[];
  readonly cwd: string;
  /** The keys whose values are masked. */
  readonly redacted: readonly string[];
}

/** Who sent a message. */
export type Sender = 'client' | 'server';

/** A message as the client sent or saw it. `mcp-dev` speaks as the server. */
export interface RecordedMessage {
  readonly time: string;
  readonly from: Sender;
  /** The generation that it is from, or for a message of the client the one that served; absent when none did. */
  readonly generation?: number;
  /** A JSON-RPC message, or a batch of them. */
  readonly message: unknown;
}

/** What the client sent that is no JSON: it is kept as it was. */
export interface RecordedText extends Omit<RecordedMessage, 'message'> {
  readonly text: string;
}

/** Whether a line is the header of a recording, in whatever version. */
export function isHeader(line: string): boolean {
  return /^\{"recording":\d+,/.test(line);
}
