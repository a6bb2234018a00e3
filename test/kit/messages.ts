import { fileURLToPath } from 'node:url';

export type JsonObject = { readonly [key: string]: unknown };

/** A JSON-RPC message as it is seen on the wire, whatever its kind. */
export interface Message {
  readonly jsonrpc?: string;
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: JsonObject;
  readonly result?: JsonObject;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: JsonObject };
}

/** A predicate that is a method's name, for the usual case. */
export type Matches = string | ((message: Message) => boolean);

export function toPredicate(matches: Matches): (message: Message) => boolean {
  return typeof matches === 'string' ? (message) => message.method === matches : matches;
}

export function nameOf(matches: Matches): string {
  return typeof matches === 'string' ? matches : `message with ${matches}`;
}

/** What a request of 2026-07-28 has to carry in `params._meta`. */
export const ENVELOPE: JsonObject = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'raw-client', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** Parameters with that envelope. */
export function enveloped(params: JsonObject = {}): JsonObject {
  return { ...params, _meta: { ...ENVELOPE, ...(params._meta as JsonObject | undefined) } };
}

/** The absolute path of a file of this repository. */
export function repositoryFile(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

/** The text of a tool result's first block. */
export function textOf(result: JsonObject): string | undefined {
  const [first] = result.content as readonly { readonly text?: string }[];
  return first?.text;
}

/** The object that a line holds; undefined when it is none. */
export function parseMessage(line: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Message) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The names of the tools that are the server's own. */
export function serverTools(tools: readonly { readonly name: string }[]): string[] {
  return tools.map(({ name }) => name).filter((name) => !name.startsWith('mcp_dev_'));
}
