import type { ListMethod } from '../session/catalogue.ts';
import type { JsonObject } from '../wire/message.ts';
import { loadLegacyClient } from './legacy-client.ts';
import type { LineTransport } from './line-transport.ts';
import { loadModernClient } from './modern-client.ts';
import type { Era } from './report.ts';

/** What the server said of itself. */
export interface Introduction {
  readonly protocolVersion: string;
  /** Its name and version; undefined for one that does not tell. */
  readonly name: string | undefined;
  readonly capabilities: JsonObject;
}

/** Bounds of one request. */
export interface Bounds {
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/**
 * The official client of an era, as far as it is the same in both. It validates what comes, so that its complaint is
 * what any user of that SDK would see; the wire is to be read at the transport.
 */
export interface OfficialClient {
  readonly era: Era;
  /** The request that the handshake consists of. */
  readonly handshake: 'initialize' | 'server/discover';
  /** Shakes hands; rejects with what the SDK has to say. */
  connect(transport: LineTransport, bounds: Bounds): Promise<Introduction>;
  /** One page of a list, validated by the SDK. */
  list(method: ListMethod, cursor: string | undefined, bounds: Bounds): Promise<void>;
  callTool(name: string, args: JsonObject, bounds: Bounds): Promise<void>;
  /** The cheapest request of the era that a server without any list answers; undefined when there is none. */
  readonly ping: ((bounds: Bounds) => Promise<void>) | undefined;
  close(): Promise<void>;
}

/** Makes a client that tells this version of itself. */
export type MakeClient = (version: string) => OfficialClient;

/** The clients of the eras whose SDKs were loaded. */
export type OfficialClients = { readonly [E in Era]?: MakeClient };

/** Loads the SDKs of these eras, so that a client can be made at once. */
export async function loadClients(eras: readonly Era[]): Promise<OfficialClients> {
  const load = { legacy: loadLegacyClient, modern: loadModernClient } as const;
  return Object.fromEntries(await Promise.all(eras.map(async (era) => [era, await load[era]()] as const)));
}

/** What an SDK complains about, in one line. */
export function explain(error: unknown): string {
  const { issues } = error as { issues?: readonly { path: readonly PropertyKey[]; message: string }[] };
  if (Array.isArray(issues) && issues[0] !== undefined) {
    const [{ path, message }] = issues;
    return path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`;
  }
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\s+/g, ' ').trim();
}
