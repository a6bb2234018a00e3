import { readFileSync } from 'node:fs';
import { isObject } from '../wire/message.ts';
import { type Header, isHeader, type RecordedMessage } from './format.ts';

/** A recording, or why a file is none; the sentence names the file and the line. */
export type ReadRecording =
  | {
      readonly kind: 'recording';
      readonly header: Header;
      /** In order. What is no JSON is left out: it was no message for the server either. */
      readonly messages: readonly NumberedMessage[];
    }
  | { readonly kind: 'unreadable'; readonly problem: string };

export type NumberedMessage = RecordedMessage & {
  /** In the file, from 1. */
  readonly line: number;
};

const VERSION = 1;

/** Reads a recording. A last line without an end, as a killed process leaves it, is no fault. */
export function readRecording(path: string): ReadRecording {
  const unreadable = (problem: string): ReadRecording => ({
    kind: 'unreadable',
    problem: `${path} ${problem}`,
  });
  const [first = '', ...rest] = readFileSync(path, 'utf8').split('\n');
  const header = isHeader(first) ? (parsed(first) as Header | undefined) : undefined;
  if (header === undefined) return unreadable('is no recording');
  if (header.recording !== VERSION) {
    return unreadable(`is a recording of version ${header.recording}, of which this mcp-dev knows nothing`);
  }
  const messages: NumberedMessage[] = [];
  // Behind the last newline is nothing, or a line that was cut off.
  for (const [index, text] of rest.slice(0, -1).entries()) {
    const entry = parsed(text);
    if (!isObject(entry) || (entry.from !== 'client' && entry.from !== 'server')) {
      return unreadable(`is damaged: line ${index + 2} is no message`);
    }
    if ('message' in entry) messages.push({ ...(entry as unknown as RecordedMessage), line: index + 2 });
  }
  return { kind: 'recording', header, messages };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
