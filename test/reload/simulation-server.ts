import { isObject, type JsonObject } from '../../src/wire/message.ts';

export interface Message {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: { readonly [key: string]: unknown };
  readonly result?: { readonly [key: string]: unknown };
  readonly error?: { readonly code?: number; readonly data?: unknown };
}

export type Era = 'legacy' | 'modern';

/** What a server speaks: `dual` holds to the era of the first message, `other` has no version of the client. */
export type Speaks = Era | 'dual' | 'other';

export const VERSIONS = { legacy: '2025-06-18', modern: '2026-07-28' } as const;
const OTHER_VERSIONS = { legacy: '2025-11-25', modern: '2027-07-28' } as const;

/** Whether a server can go on with a session of this era and version. */
export function fits(speaks: Speaks, era: Era, version: string): boolean {
  return speaks === era || speaks === 'dual' || (speaks === 'other' && version === OTHER_VERSIONS[era]);
}

const OWN = 'io.modelcontextprotocol/';
const VERSION = `${OWN}protocolVersion`;
export const SUBSCRIPTION_ID = `${OWN}subscriptionId`;

/** The flags of a subscription's filter with what they ask for. */
export const FLAGS: ReadonlyMap<string, string> = new Map([
  ['toolsListChanged', 'notifications/tools/list_changed'],
  ['promptsListChanged', 'notifications/prompts/list_changed'],
  ['resourcesListChanged', 'notifications/resources/list_changed'],
]);

/** What every request of 2026-07-28 carries; `trace` comes back nowhere, but passes all that stands in between. */
export function envelope(trace: string): JsonObject {
  return { [VERSION]: VERSIONS.modern, [`${OWN}clientCapabilities`]: {}, traceparent: trace };
}

export function isEnveloped({ params }: Message): boolean {
  return isObject(params?._meta) && VERSION in params._meta;
}

/** The `trace` of a message's envelope. */
export function traceOf({ params }: Message): unknown {
  return isObject(params?._meta) ? params._meta.traceparent : undefined;
}

/** Whether a version of the server calls its tool `look` read-only: some do. */
export function isReadOnly(version: number): boolean {
  return version % 3 !== 2;
}

/** A generation's part in a subscription of the client. */
export interface Part {
  /** The client's subscription. */
  readonly of: string;
  readonly filter: JsonObject;
  state: 'waiting' | 'open' | 'over';
}

/** A made-up server: it gets messages, and answers the oldest of them when it is told to. */
export class SimulatedServer {
  readonly generation: number;
  /** How many saves it has seen. */
  readonly version: number;
  readonly speaks: Speaks;
  readonly inbox: Message[] = [];
  /** The ids of what it asked the client. */
  readonly asked = new Set<string>();
  /** How often it asked something, and how often it told of progress. */
  questions = 0;
  progress = 0;
  /** By the id that the request came with. */
  readonly parts = new Map<string, Part>();
  life: 'running' | 'stopping' | 'gone' = 'running';
  /** It answered a request of the client. */
  hasAnswered = false;
  /** `ready`: it may be given requests of the client. */
  handshake: 'none' | 'answered' | 'ready' = 'none';
  /** The era of the first message that settles it: `server/discover` does not. */
  pinned: 'none' | Era = 'none';

  /** A tool that it has besides those that all have. */
  readonly special: string | undefined;

  constructor(generation: number, version: number, speaks: Speaks, special: string | undefined) {
    this.generation = generation;
    this.version = version;
    this.speaks = speaks;
    this.special = special;
  }

  arrive(message: Message): void {
    this.inbox.push(message);
    const { id, method, params } = message;
    if (method === undefined) return;
    if (this.pinned === 'none' && method !== 'server/discover') {
      this.pinned = isEnveloped(message) ? 'modern' : 'legacy';
    }
    if (method === 'subscriptions/listen') {
      const filter = params?.notifications as JsonObject;
      this.parts.set(String(id), { of: String(traceOf(message)), filter, state: 'waiting' });
    }
  }

  /** Takes the next message and returns what it says to that. */
  serve(): Message[] {
    const message = this.inbox.shift();
    if (message?.method === undefined) return [];
    const { id, method, params } = message;
    if (id === undefined) {
      const part = this.parts.get(String(params?.requestId));
      if (method === 'notifications/cancelled' && part !== undefined) part.state = 'over';
      return [];
    }
    const refused = (code: number): Message[] => {
      const part = this.parts.get(String(id));
      if (part !== undefined) part.state = 'over';
      return [{ id, error: { code } }];
    };
    if (method === 'initialize') {
      if (this.speaks === 'modern' || this.pinned === 'modern') return refused(-32022);
      this.handshake = 'answered';
      return [{ id, result: this.#greeting(String(params?.protocolVersion)) }];
    }
    if (method === 'server/discover') {
      // Some say that they speak what they do not.
      const isHonest = this.version % 4 !== 1;
      const isLegacy = (this.speaks === 'legacy' && isHonest) || this.pinned === 'legacy';
      return isLegacy ? refused(-32601) : [{ id, result: this.#discovery() }];
    }
    if (this.speaksModern) {
      if (!isEnveloped(message)) return refused(-32602);
      // Some serve versions that they do not know.
      if (this.speaks === 'other' && this.version % 2 === 0) return refused(-32022);
    }
    if (method !== 'subscriptions/listen') return [{ id, result: this.#answer(message) }];
    const part = this.parts.get(String(id)) as Part;
    // Some servers have no subscriptions.
    if (!this.speaksModern || this.version % 5 === 4) return refused(-32601);
    if (part.state !== 'waiting') return [];
    part.state = 'open';
    const notifications = this.version % 5 === 3 ? {} : part.filter;
    const _meta = { [SUBSCRIPTION_ID]: id };
    return [{ method: 'notifications/subscriptions/acknowledged', params: { notifications, _meta } }];
  }

  get speaksModern(): boolean {
    if (this.speaks === 'legacy' || this.speaks === 'modern') return this.speaks === 'modern';
    return this.pinned !== 'legacy';
  }

  /** What it says of changes to those who asked for them. */
  announce(): Message[] {
    const said: Message[] = [];
    const by = this.generation;
    for (const [id, { filter, state }] of this.parts) {
      if (state !== 'open') continue;
      const _meta = { [SUBSCRIPTION_ID]: id };
      for (const [flag, method] of FLAGS)
        if (filter[flag] === true) said.push({ method, params: { by, _meta } });
      const uris = (filter.resourceSubscriptions ?? []) as string[];
      for (const uri of uris)
        said.push({ method: 'notifications/resources/updated', params: { by, uri, _meta } });
    }
    return said;
  }

  /** Ends its parts in all subscriptions, in one of the two ways that there are. */
  endParts(how: 'result' | 'cancelled'): Message[] {
    const open = [...this.parts].filter(([, { state }]) => state === 'open');
    return open.map(([id, part]) => {
      part.state = 'over';
      if (how === 'cancelled') return { method: 'notifications/cancelled', params: { requestId: id } };
      return { id, result: { resultType: 'complete', _meta: { [SUBSCRIPTION_ID]: id } } };
    });
  }

  #greeting(asked: string): JsonObject {
    const protocolVersion = this.speaks === 'other' ? OTHER_VERSIONS.legacy : asked;
    return { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'simulated', version: '1' } };
  }

  #discovery(): JsonObject {
    const version = this.speaks === 'other' ? OTHER_VERSIONS.modern : VERSIONS.modern;
    const capabilities = { tools: {}, resources: { subscribe: true } };
    return { supportedVersions: [version], capabilities, ...this.#inEra('server/discover') };
  }

  #answer({ method, params }: Message): JsonObject {
    const rest = this.#inEra(method);
    if (method === 'tools/list') {
      // Some have more to list than fits on a page.
      if (params?.cursor !== undefined) return { tools: [{ name: 'more' }], ...rest };
      const more = this.version % 3 === 1 ? { nextCursor: `by ${this.generation}` } : {};
      const annotations = { readOnlyHint: isReadOnly(this.version) };
      const echo = { name: 'echo', description: `v${this.version}` };
      const special = this.special === undefined ? [] : [{ name: this.special }];
      const tools = [echo, { name: 'look', annotations }, { name: 'ask', annotations }, ...special];
      return { tools, ...more, ...rest };
    }
    const mayAsk = this.speaksModern && params?.name === 'ask' && params.inputResponses === undefined;
    if (!mayAsk) return rest;
    return {
      ...rest,
      resultType: 'input_required',
      inputRequests: {},
      requestState: `by ${this.generation}`,
    };
  }

  /** What every result has, and what those have that may be kept. */
  #inEra(method: string | undefined): JsonObject {
    const by = this.generation;
    if (!this.speaksModern) return { by };
    const isKept = KEPT.has(method ?? '');
    return { by, resultType: 'complete', ...(isKept ? { ttlMs: 3_600_000, cacheScope: 'public' } : {}) };
  }
}

/** Methods whose results say how long they may be kept. */
export const KEPT = new Set([
  'server/discover',
  'tools/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
]);
