import { isDeepStrictEqual } from 'node:util';
import type { Id } from '../wire/id.ts';
import type { Line } from '../wire/line.ts';
import type { JsonObject } from '../wire/message.ts';
import { TextFinder } from '../wire/text-finder.ts';
import type { Batch } from './batch.ts';
import type { Catalogue, ListMethod } from './catalogue.ts';
import type { SessionAction } from './events.ts';
import type { Failure } from './failure.ts';
import { OpenRequests } from './open-requests.ts';
import { OWN_TOOL_PREFIX } from './own-tools.ts';

/** What a session needs to know from outside; all times in milliseconds. */
export interface SessionSettings {
  /** What the server is called when it cannot say so itself. */
  readonly name: string;
  readonly hold: number;
  /** How long a generation may drain while the next one serves, and while the next one waits for its end. */
  readonly drain: number;
  readonly exclusiveDrain: number;
  /** Which interrupted requests are sent to another generation. */
  readonly replay: 'safe' | 'idempotent' | 'never';
  /** What a call gets from old code: its result with a note, an error in its place, or the bare result. */
  readonly stale: 'notice' | 'error' | 'silent';
  /** When the client's handshake, or its `server/discover`, is answered though no generation is ready. */
  readonly answerAfter: number;
  /** Nothing is added or changed that the client could see, and `list_changed` is sent all the same. */
  readonly transparent: boolean;
  /** Definitions of tools that the client is offered besides the server's own, and which we answer. */
  readonly tools: readonly JsonObject[];
}

/** How far the client has got, and in which era it and the server speak. */
export type Conversation =
  /** Nothing is settled: only what a server answers settles the era. */
  | { readonly state: 'silent' }
  /** `initialize` came and is not answered. `params` is its JSON text. */
  | { readonly state: 'greeting'; readonly request: ClientRequest; readonly params: string }
  | {
      readonly state: 'legacy';
      readonly params: string;
      readonly protocolVersion: string;
      /** What the client was told. */
      readonly capabilities: JsonObject;
      /** The client sent `notifications/initialized`. */
      readonly initialized: boolean;
    }
  /** There is no handshake: each request has an envelope, of which a good one is kept for our own. */
  | { readonly state: 'modern'; readonly protocolVersion: string; readonly envelope: JsonObject };

/** What earlier good starts of this server said of it. */
export interface Remembered {
  /** The result of `initialize`, and for which version it had been asked. */
  readonly initialize?: { readonly asked: string; readonly result: JsonObject };
  /** The result of `server/discover`. */
  readonly discover?: JsonObject;
}

/** How the newest source stands to what is served. */
export type Source =
  | { readonly state: 'served' }
  /**
   * Another generation is on its way; requests are held until `hold` has passed since the first `change` of the
   * source, or, as long as there is none, since it set out.
   */
  | { readonly state: 'awaited'; readonly change: boolean }
  /** It is still on its way, but requests are not held for it any more. */
  | { readonly state: 'late'; readonly change: boolean }
  | { readonly state: 'broken'; readonly failure: Failure };

/** What a generation is to the session. */
export type Phase =
  /** It runs, and there is no handshake yet to give it. */
  | { readonly phase: 'fresh' }
  | { readonly phase: 'greeted' }
  /** It answered the handshake; its lists are read before it takes over. */
  | { readonly phase: 'preparing'; readonly reading: Set<ListMethod>; readonly patient: boolean }
  | { readonly phase: 'active' }
  /** `kept`: it was replaced a moment ago, and takes over again if its successor crashes. */
  | { readonly phase: 'draining'; readonly kept: boolean };

/** What one of our own requests to a generation was for. */
export type Question =
  | { readonly purpose: 'initialize' }
  | { readonly purpose: 'discover' }
  | {
      readonly purpose: 'list';
      readonly method: ListMethod;
      /** What the pages before had, and how many they were. */
      readonly items: readonly JsonObject[];
      readonly pages: number;
      readonly bytes: number;
    }
  /** Session state that is applied again; a server that refuses it does not keep it. */
  | { readonly purpose: 'state' }
  /** The generation's part in a subscription of the client. */
  | { readonly purpose: 'listen'; readonly subscription: Subscription };

/** A generation, as the session talks with it. */
export interface Peer {
  readonly generation: number;
  /** It was started after the last change that was seen. */
  newest: boolean;
  phase: Phase;
  /** It has shown that it speaks the era of the session. */
  fits: boolean;
  capabilities: JsonObject;
  readonly catalogue: Catalogue;
  /** Our own requests that it has not answered, by id. */
  readonly questions: Map<Id, Question>;
  /** What it said to the client before the client may hear of it. */
  readonly backlog: Line[];
  /** Ids of requests that the client cancelled: late answers to them are expected, and dropped. */
  readonly cancelled: Set<Id>;
  /** How many requests of the client it has in flight. */
  pending: number;
  /** Tasks that it made for the client and that are not over, by id as JSON text. */
  readonly tasks: Set<string>;
  /** Lists that it announced as changed while it was being prepared. */
  readonly outdated: Set<ListMethod>;
}

/** A request of the client that has no answer yet, or a call of our own that is treated like one. */
export interface ClientRequest {
  readonly id: Id;
  /** The open requests that came just before and after it, as long as it is one. */
  earlier: ClientRequest | undefined;
  later: ClientRequest | undefined;
  /** The number of a call of our own; undefined for the client's. */
  readonly call: number | undefined;
  readonly method: string;
  line: Line;
  /** The batch that it came in. */
  readonly batch: Batch | undefined;
  /** The generation that has to answer it; absent while it waits for one. */
  peer: Peer | undefined;
  /** Set when that one has old code. */
  stale: Failure | undefined;
  /** Why the generation that had it before could not answer: it is being sent again, which happens once. */
  interrupted: Failure | undefined;
  /** Its progress token as JSON text; `null` when it has none, `undefined` while nobody looked. */
  token: string | null | undefined;
  /** The last progress that the client was told. */
  progress: number | undefined;
  /** What that was when the request was given to another generation: it must not fall back behind it. */
  floor: number | undefined;
  /** Its generation asked the client something while it had the request. */
  exchanged: boolean;
  /** It was a call of ours to call this tool, which the client need not have in its list. */
  indirect: boolean;
}

/** A request that a generation has to answer. */
export type InFlight = ClientRequest & { peer: Peer };

/** A request of a generation that the client has to answer. */
export interface Asked {
  readonly peer: Peer;
  readonly method: string;
  /** The id that the generation gave it. */
  readonly id: Id;
  /** The progress token that the generation gave it, as JSON text. */
  readonly token: string | undefined;
}

/** A `subscriptions/listen` of the client (2026-07-28, basic, patterns, subscriptions). It outlives generations. */
export interface Subscription {
  /** The id of the client's request, which is the id of the subscription. */
  readonly id: Id;
  /** The request. */
  readonly line: Line;
  /** What it asks for. */
  readonly filter: JsonObject;
  /** The client was told that it is open; that is said once. */
  acknowledged: boolean;
  /** A generation took over without a word to the client, who was not to hear it then, or could not. */
  missed: boolean;
}

/** Everything a session knows. Changed by the handlers in this folder, and by nothing else. */
export interface State {
  readonly settings: SessionSettings;
  conversation: Conversation;
  source: Source;
  readonly peers: Map<number, Peer>;
  active: Peer | undefined;
  /** What the last active generation offered. */
  catalogue: Catalogue;
  /** All requests that have no answer yet, in the order they came. */
  readonly requests: OpenRequests;
  /** Those of them that wait for a generation, in the order in which they get one. */
  held: Set<ClientRequest>;
  /** Calls that wait for the client to read the list again. */
  deferred: Set<ClientRequest>;
  /** Calls of tools of ours that are being carried out, by the key under which the result comes. */
  readonly executing: Map<number, ClientRequest>;
  /** Finds the calls that may be of a tool of ours. */
  readonly ownNames: TextFinder;
  /** The requests in the chunk that is being read. */
  newcomers: ClientRequest[];
  /** How many bytes of requests wait. */
  heldBytes: number;
  /** Requests of generations to the client, by the id that the client sees. */
  readonly asked: Map<Id, Asked>;
  /** Which generation made a cursor that the client was given, by the cursor as JSON text. */
  readonly cursors: Map<string, number>;
  /** Which generation made a task, by its id as JSON text. */
  readonly tasks: Map<string, Peer>;
  /** What earlier sessions with this server found out. */
  remembered: Remembered;
  /** The failure that the client has been told of at length. */
  noticed: Failure | undefined;
  level: string | undefined;
  /** Resources that a client of the legacy era is subscribed to, by URI. */
  readonly subscribed: Set<string>;
  /** The open subscriptions of a client of the modern era. */
  readonly subscriptions: Map<Id, Subscription>;
  /** Kinds of `list_changed` that were passed on a moment ago, each with the last one that came since. */
  readonly merging: Map<string, Line | undefined>;
  /** The generation that served first. */
  first: number | undefined;
  /** The client did more than to ask what the server is. */
  inUse: boolean;
  /** Counts the ids of our own making. */
  lastId: number;
  /** Wants something done. What is asked for comes in the order in which it is to be done. */
  readonly emit: (action: SessionAction) => void;
}

export function initialState(settings: SessionSettings, emit: State['emit']): State {
  return {
    settings,
    emit,
    conversation: { state: 'silent' },
    source: { state: 'served' },
    peers: new Map(),
    active: undefined,
    catalogue: new Map(),
    requests: new OpenRequests(),
    held: new Set(),
    deferred: new Set(),
    executing: new Map(),
    // Much faster to look for than what begins with a letter.
    ownNames: new TextFinder(OWN_TOOL_PREFIX.slice(OWN_TOOL_PREFIX.indexOf('_'))),
    newcomers: [],
    heldBytes: 0,
    cursors: new Map(),
    tasks: new Map(),
    remembered: {},
    noticed: undefined,
    asked: new Map(),
    level: undefined,
    subscribed: new Set(),
    subscriptions: new Map(),
    merging: new Map(),
    first: undefined,
    inUse: false,
    lastId: 0,
  };
}

/** Whether this generation has to answer the request. */
export function isInFlight(request: ClientRequest, peer: Peer): request is InFlight {
  return request.peer === peer;
}

/** The requests that a generation has to answer, in the order they came. */
export function inFlightOf(state: State, peer: Peer): InFlight[] {
  return state.requests.all().filter((request) => isInFlight(request, peer));
}

/** Keeps what a good start said, for the time when the server cannot say it. */
export function remember(state: State, news: Remembered): void {
  const remembered = { ...state.remembered, ...news };
  if (isDeepStrictEqual(remembered, state.remembered)) return;
  state.remembered = remembered;
  state.emit({ do: 'remember', remembered: state.remembered });
}

export function toClient(state: State, line: Line): void {
  state.emit({ do: 'to-client', line });
}

export function toServer(state: State, peer: Peer, line: Line): void {
  state.emit({ do: 'to-server', generation: peer.generation, line });
}
