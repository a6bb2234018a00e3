import { Core, type CoreEvent, type Effect } from '../../src/reload/core.ts';
import { Line } from '../../src/wire/line.ts';
import type { JsonObject } from '../../src/wire/message.ts';
import {
  type Era,
  envelope,
  FLAGS,
  fits,
  isEnveloped,
  isReadOnly,
  KEPT,
  type Message,
  SimulatedServer,
  type Speaks,
  traceOf,
  VERSIONS,
} from './simulation-server.ts';
import { Subscriptions } from './simulation-subscriptions.ts';

/** One thing that may happen; the numbers choose among what is there. */
export type Step =
  | { readonly step: 'request'; readonly method: number }
  /** `bare`: without the envelope that a client of 2026-07-28 may leave out here. */
  | { readonly step: 'cancel'; readonly which: number; readonly bare: boolean }
  /** The client reads on in a list where it left off. */
  | { readonly step: 'page'; readonly which: number }
  /** The client asks several things in one line, where the protocol has that. */
  | { readonly step: 'batch'; readonly methods: readonly number[] }
  /** A server tells how far it is with a request that it has, or had. */
  | { readonly step: 'progress'; readonly server: number; readonly which: number }
  /** The client answers what a server asked; `dies`: and the server that serves is gone a moment later. */
  | { readonly step: 'reply'; readonly which: number; readonly dies: boolean }
  /** The client opens a subscription. */
  | { readonly step: 'listen'; readonly asks: number }
  /** `late`: servers say something to the subscription shortly before and after that. */
  | { readonly step: 'unlisten'; readonly which: number; readonly bare: boolean; readonly late: boolean }
  /** `speaks` chooses what the saved server speaks. */
  | { readonly step: 'save'; readonly speaks: number }
  | { readonly step: 'gathered' }
  | { readonly step: 'reload' }
  /** What a tool of ours had to find out is known. */
  | { readonly step: 'executed'; readonly which: number }
  | { readonly step: 'build-ends'; readonly works: boolean }
  /** A server that has messages takes the next one. */
  | { readonly step: 'serve'; readonly server: number }
  /** A save is built and started without anything in between; `speaks` as for a save. */
  | { readonly step: 'replace'; readonly speaks: number }
  | { readonly step: 'crash'; readonly server: number }
  /** A server closes its stdout and lives on. */
  | { readonly step: 'cut-off'; readonly server: number }
  /** A server asks the client something; `dies`: in the course of a call, and is gone a moment later. */
  | { readonly step: 'ask'; readonly server: number; readonly dies: boolean }
  | { readonly step: 'announce'; readonly server: number }
  /** A server ends its part in all subscriptions. */
  | { readonly step: 'end-parts'; readonly server: number; readonly how: 'result' | 'cancelled' }
  | { readonly step: 'exit'; readonly server: number }
  | { readonly step: 'wait'; readonly ms: number };

interface SimulatedRequest {
  readonly method: string;
  readonly tool: string | undefined;
  /** It carries the client's answer to what a server asked. */
  readonly continues: boolean;
  /** It asks for what follows the first page of a list. */
  readonly readsOn: boolean;
  /** The key under which a tool of ours is carried out for it. */
  executing: number | undefined;
  /** The generations that got it, in order. */
  readonly sentTo: number[];
  answers: number;
  cancelled: boolean;
  /** The generation that has it asked the client something. */
  exchanged: boolean;
  /** It went to code that was not the newest. */
  old: boolean;
  /** The era was known when it went there. */
  inEra: boolean;
  /** The ids of all requests in the line that it came in, where these were several. */
  batch: readonly string[];
  /** The last progress that the client heard of. */
  progress: number;
}

const newRequest = (method: string, tool?: string, continues = false): SimulatedRequest => {
  return {
    method,
    tool,
    continues,
    readsOn: false,
    executing: undefined,
    sentTo: [],
    answers: 0,
    cancelled: false,
    exchanged: false,
    old: false,
    inEra: false,
    batch: [],
    progress: 0,
  };
};

/** What the simulation is about: a client of one era, and servers that may run side by side or not. */
export interface Circumstances {
  readonly era: Era;
  /** Chooses what the first server speaks. */
  readonly speaks: number;
  readonly exclusive: boolean;
  /** Tools of ours among those of the server; `taken`: which has one of these names now and then. */
  readonly ours: 'none' | 'offered' | 'taken';
  /** The client does not wait for the end. */
  readonly leaves: boolean;
  /** How a client of the legacy era begins. */
  readonly begins: {
    /** Its version has batches. */
    readonly batches: boolean;
    /** It asks first whether the server speaks the other one. */
    readonly probes: boolean;
    /** It takes its time to say that it is initialized. */
    readonly late: boolean;
  };
}

const BATCH_VERSION = '2025-03-26';
/** The tools that are ours: one is carried out outside of the session, the other one calls another tool. */
const STATUS = 'mcp_dev_status';
const CALL = 'mcp_dev_call';
/** Two versions of the server in four have a tool of this name, where servers take the names of ours. */
const TAKEN = STATUS;

interface Asking {
  readonly method: string;
  /** The tool that is called. */
  readonly tool?: string;
  /** By way of which one. */
  readonly by?: typeof CALL;
}

/** What clients ask. */
const REQUESTS: readonly Asking[] = [
  { method: 'tools/call', tool: 'echo' },
  { method: 'tools/call', tool: 'look' },
  { method: 'tools/call', tool: 'look' },
  { method: 'tools/call', tool: 'ask' },
  { method: 'tools/list' },
  { method: 'resources/read' },
  { method: 'ping' },
  { method: 'x/unknown' },
  { method: 'server/discover' },
  { method: 'tools/call', tool: STATUS },
  { method: 'tools/call', tool: 'look', by: CALL },
  { method: 'tools/call', tool: 'absent', by: CALL },
];
/** Requests with which a client begins, by id: without their answers it does not go on. */
const BEGINNINGS = new Set(['probe', 'init']);
/** Methods that may be sent to a second generation, whatever the first one did. */
const SAFE = new Set(['tools/list', 'resources/read', 'ping', 'server/discover']);
const LIST = REQUESTS.findIndex(({ method }) => method === 'tools/list');
const LOOK = REQUESTS.findIndex(({ tool }) => tool === 'look');
const FLAG_NAMES = [...FLAGS.keys()];
const FLAG_METHODS = new Set(FLAGS.values());
/** Methods whose results say so when old code gave them. */
const MARKED = new Set(['tools/call', 'resources/read']);
const HOLD_MS = 2000;

/**
 * A client, servers, a builder and a clock around the core, all of them made up; what must hold at every
 * moment is checked at every effect, and a violation throws.
 */
export class Simulation {
  readonly #core: Core;
  readonly #servers = new Map<number, SimulatedServer>();
  readonly #timers = new Map<string, { at: number; event: CoreEvent }>();
  /** Timers that stand still, with what is left of them. */
  readonly #paused = new Map<string, { left: number; event: CoreEvent }>();
  readonly #circumstances: Circumstances;
  /** The era that the client knows the session to be in, and the version. */
  #era: Era | undefined;
  #version: string;
  /** The same before the event that is being handled. */
  #eraBefore: Era | undefined;
  /** `refused`: its handshake was, and it gives up. */
  #client: 'open' | 'refused' | 'closing' = 'open';
  /** Where a client of the legacy era is in its handshake; one that is late asks nothing before the end. */
  #handshake: 'none' | 'asked' | 'answered' | 'over' = 'none';
  /** Requests of the client: to which generation they went, and how often they were answered. */
  readonly #requests = new Map<string, SimulatedRequest>();
  /** What servers asked the client, by the id that the client saw. */
  readonly #questions = new Map<string, { open: boolean }>();
  /** What servers want to know of the client before they go on with a call: the state that it has to send back. */
  readonly #inputs: string[] = [];
  /** Where lists go on that the client has read the first page of. */
  readonly #cursors: string[] = [];
  /** The keys of calls of our tools that have no result. */
  readonly #executing = new Set<number>();
  readonly #subscriptions = new Subscriptions();
  /** How often the client had been told of changes when a generation was initialized; -1: the client did that. */
  readonly #toldBefore = new Map<number, number>();
  /** What each version of the server speaks. */
  readonly #speaks: Speaks[] = [];
  #active: number | undefined;
  /** The generation whose message is being handled. */
  #speaking: number | undefined;
  /** The generations that have been active. */
  readonly #introduced = new Set<number>();
  #now = 1_000_000;
  #lastId = 0;
  #build: 'none' | 'running' | 'aborting' = 'none';
  /** How many saves the build in progress has read. */
  #building = 0;
  #gathering = false;
  #saves = 0;
  #built = 0;
  /** Since when a save has been waiting to be served or found broken. */
  #awaitedSince: number | undefined = this.#now;
  /** Since when there has been a save that is neither served nor found broken. */
  #unservedSince: number | undefined;
  /** When each save was made. */
  readonly #savedAt: number[] = [];
  #listChanged = 0;
  readonly #effects: Effect[] = [];
  /** What was reported, what the client was told, and of what kind its results were. */
  readonly seen = new Set<string>();

  constructor(circumstances: Circumstances) {
    const { era, speaks, exclusive, begins } = circumstances;
    this.#circumstances = circumstances;
    this.#version = era === 'legacy' && begins.batches ? BATCH_VERSION : VERSIONS[era];
    this.#speaks.push(this.#choose(speaks));
    this.#core = new Core(
      {
        name: 'simulated',
        hold: HOLD_MS,
        drain: 5000,
        exclusiveDrain: 2000,
        replay: 'safe',
        stale: 'notice',
        answerAfter: 8000,
        tools: circumstances.ours === 'none' ? [] : [{ name: STATUS }, { name: CALL }],
        transparent: false,
      },
      { exclusive: exclusive ? 'on' : 'auto', hold: HOLD_MS, readyTimeout: 3000, lastWords: () => '' },
      (effect) => this.#effects.push(effect),
      () => this.#now,
    );
    this.#tell({ type: 'begin' });
    if (era === 'modern') return;
    if (!circumstances.begins.probes) {
      this.#initialize();
      return;
    }
    this.#requests.set('probe', newRequest('server/discover'));
    this.#fromClient({ id: 'probe', method: 'server/discover', params: { _meta: envelope('probe') } });
  }

  #initialize(): void {
    this.#handshake = 'asked';
    this.#requests.set('init', newRequest('initialize'));
    const clientInfo = { name: 'c', version: '1' };
    this.#fromClient({
      id: 'init',
      method: 'initialize',
      params: { protocolVersion: this.#version, capabilities: {}, clientInfo },
    });
  }

  take(step: Step): void {
    switch (step.step) {
      case 'request':
        this.#request(step.method);
        return;
      case 'cancel': {
        // Now and then the client is late, and the answer is there already.
        const late = step.which % 4 === 0;
        const known = [...this.#requests].filter(([, { answers, cancelled }]) => {
          return !cancelled && (late || answers === 0);
        });
        const [id, request] = known[step.which % known.length] ?? [];
        if (id === undefined || request === undefined || BEGINNINGS.has(id)) return;
        request.cancelled = request.answers === 0;
        this.#cancel(id, step.bare && request.method !== 'server/discover');
        return;
      }
      case 'reply': {
        const open = [...this.#questions].filter(([, question]) => question.open);
        const [id, question] = open[step.which % open.length] ?? [];
        if (this.#circumstances.era === 'legacy') this.#tellProgress();
        if (id === undefined || question === undefined) {
          this.#retry(step.which);
          const server = this.#servers.get(this.#active ?? 0);
          if (step.dies && server?.life === 'running') this.#exit(server);
          return;
        }
        question.open = false;
        this.#fromClient({ id, result: { for: id } });
        return;
      }
      case 'page': {
        const cursor = this.#cursors[step.which % this.#cursors.length];
        if (cursor !== undefined) this.#send({ ...newRequest('tools/list'), readsOn: true }, { cursor });
        return;
      }
      case 'batch':
        this.#batch(step.methods);
        return;
      case 'progress':
        this.#progress(step.server, step.which);
        return;
      case 'listen':
        this.#listen(step.asks);
        return;
      case 'unlisten': {
        const { wanted } = this.#subscriptions;
        const id = wanted[step.which % wanted.length];
        if (id === undefined) return;
        if (step.late) for (const _ of [1, 2]) this.#announceAll();
        this.#subscriptions.cancel(id);
        this.#cancel(id, step.bare);
        if (step.late) this.#announceAll();
        return;
      }
      case 'save':
        this.#save(step.speaks);
        return;
      case 'replace':
        this.#replace(step.speaks);
        return;
      case 'gathered':
        this.#gathered();
        return;
      case 'reload':
        this.#tell({ type: 'requested', by: 'test' });
        return;
      case 'executed': {
        const waiting = [...this.#executing];
        const key = waiting[step.which % waiting.length];
        if (key !== undefined) this.#execute(key);
        return;
      }
      case 'build-ends':
        this.#endBuild(step.works);
        return;
      case 'serve':
        this.#onServer(
          step.server,
          (server) => this.#serve(server),
          ({ inbox }) => inbox.length > 0,
        );
        return;
      case 'crash':
        this.#onServer(step.server, (server) => this.#exit(server));
        return;
      case 'cut-off':
        this.#onServer(step.server, ({ generation }) => {
          this.#tell({ type: 'cut-off', generation, pipe: 'stdout', text: '', livedMs: 100 });
        });
        return;
      case 'ask':
        this.#onServer(step.server, (server) => {
          if (step.dies) this.#request(LOOK);
          this.#ask(server);
          if (step.dies) this.#exit(server);
        });
        return;
      case 'announce':
        this.#onServer(step.server, (server) => {
          if (server.handshake !== 'ready') return;
          const { generation } = server;
          if (this.#circumstances.era === 'legacy' || this.#era === 'modern') {
            this.#fromServer(server, { method: 'notifications/message', params: { generation } });
          }
          if (this.#circumstances.era === 'legacy') {
            const by = generation;
            this.#fromServer(server, { method: 'notifications/tools/list_changed', params: { by } });
            this.#fromServer(server, {
              method: 'notifications/resources/updated',
              params: { by, uri: 'x://1' },
            });
          }
          for (const message of server.announce()) this.#fromServer(server, message);
        });
        return;
      case 'end-parts':
        this.#onServer(step.server, (server) => {
          for (const message of server.endParts(step.how)) this.#fromServer(server, message);
        });
        return;
      case 'exit': {
        const stopping = [...this.#servers.values()].filter(({ life }) => life === 'stopping');
        const server = stopping[step.server % stopping.length];
        if (server !== undefined) this.#exit(server);
        return;
      }
      case 'wait':
        this.#wait(step.ms);
        return;
    }
  }

  /** The client closes the session in the midst of it all. */
  leave(): void {
    this.#client = 'closing';
    this.#tell({ type: 'closing' });
    const { granted } = this.#subscriptions;
    if (granted.length > 0) throw new Error(`${granted} were not ended`);
  }

  /** Lets everything work from now on, until nothing is left to do; then everything must have been answered. */
  settle(): void {
    for (let round = 0; round < 2000; round++) {
      if (this.#gathering) this.#gathered();
      this.#endBuild(true);
      for (const key of [...this.#executing]) this.#execute(key);
      for (const server of [...this.#servers.values()]) {
        if (server.life === 'stopping') this.#exit(server);
        while (server.life === 'running' && server.inbox.length > 0) this.#serve(server);
      }
      // A generation that nobody ever asked anything would stay untried.
      if (round === 500) this.#request(LIST);
      if (round > 1000 && this.#isQuiet()) break;
      this.#wait(50);
    }
    for (const [id, { method, answers, cancelled }] of this.#requests) {
      if (!cancelled && answers !== 1) throw new Error(`${method} ${id} got ${answers} answers`);
    }
    this.#checkRest();
    this.leave();
  }

  #checkRest(): void {
    const { active, broken, state } = this.#core.status;
    const running = [...this.#servers.values()].filter(({ life }) => life !== 'gone');
    if (running.length > 1) throw new Error(`${running.length} servers are left`);
    const { unanswered } = this.#subscriptions;
    if (unanswered.length > 0) throw new Error(`${unanswered} were neither acknowledged nor refused`);
    // Without a client nobody tries the last generation.
    if (this.#client === 'refused') return;
    if (state !== 'idle') throw new Error(`never came to rest: ${state}`);
    if (broken !== undefined) return;
    const version = active === undefined ? 'nothing' : `version ${this.#servers.get(active)?.version}`;
    if (version !== `version ${this.#saves}`) throw new Error(`${version} is served of ${this.#saves} saved`);
  }

  #isQuiet(): boolean {
    return this.#build === 'none' && !this.#gathering && this.#core.unanswered === 0;
  }

  #save(speaks: number): void {
    this.#saves++;
    this.#speaks.push(this.#choose(speaks));
    this.#gathering = true;
    this.#awaitedSince ??= this.#now;
    this.#savedAt.push(this.#now);
    this.#unservedSince ??= this.#now;
    this.#tell({ type: 'change-seen' });
  }

  #replace(speaks: number): void {
    this.#save(speaks);
    this.#gathered();
    // Where one had to be aborted, there are two builds.
    for (let builds = 0; builds < 2; builds++) this.#endBuild(true);
    if (this.#circumstances.exclusive) this.#makeRoom();
    const candidate = [...this.#servers.values()].at(-1);
    if (candidate === undefined || candidate.version !== this.#saves) return;
    while (candidate.life === 'running' && candidate.inbox.length > 0) this.#serve(candidate);
  }

  /** Everything that runs finishes what it has, and ends if it was told to. */
  #makeRoom(): void {
    for (const server of [...this.#servers.values()]) {
      while (server.life === 'running' && server.inbox.length > 0) this.#serve(server);
      if (server.life === 'stopping') this.#exit(server);
    }
  }

  #gathered(): void {
    if (!this.#gathering) return;
    this.#gathering = false;
    const path = `/src/${this.#saves}.ts`;
    this.#tell({ type: 'batch', changes: [{ path, kind: 'changed', at: 0 }] });
  }

  #endBuild(works: boolean): void {
    const build = this.#build;
    this.#build = 'none';
    switch (build) {
      case 'none':
        return;
      case 'aborting':
        this.#tell({ type: 'build-aborted' });
        return;
      case 'running': {
        this.#built = this.#building;
        const failure = { reason: 'build_failed', summary: 'no', text: '', generation: undefined } as const;
        this.#tell(works ? { type: 'built' } : { type: 'build-failed', failure });
      }
    }
  }

  #request(which: number): void {
    const { method, tool, by } = asking(which);
    this.#send(newRequest(method, tool), callParams(tool, by, `c${this.#lastId + 1}`));
  }

  /** A tool of ours has found out what it was asked. */
  #execute(key: number): void {
    this.#executing.delete(key);
    this.#tell({ type: 'tool-result', key, result: { content: [], key } });
  }

  /** The client goes on with a call, now that it knows what the server wants to know. */
  #retry(which: number): void {
    const [requestState] = this.#inputs.splice(which % Math.max(this.#inputs.length, 1), 1);
    if (requestState === undefined) return;
    const params = { name: 'ask', arguments: {}, inputResponses: {}, requestState };
    this.#send(newRequest('tools/call', 'ask', true), params);
  }

  #listen(asks: number): void {
    if (this.#circumstances.era === 'legacy') return;
    const id = `l${++this.#lastId}`;
    const notifications: JsonObject = {};
    for (const [bit, flag] of FLAG_NAMES.entries()) if ((asks >> bit) % 2 === 1) notifications[flag] = true;
    if (asks >> FLAG_NAMES.length > 0) notifications.resourceSubscriptions = ['x://1', 'x://2'];
    this.#subscriptions.ask(id, notifications);
    const params = { notifications, _meta: envelope(id) };
    this.#fromClient({ id, method: 'subscriptions/listen', params });
  }

  #cancel(id: string, bare: boolean): void {
    const hasEnvelope = this.#circumstances.era === 'modern' && !bare;
    const params = { requestId: id, ...(hasEnvelope ? { _meta: envelope(id) } : {}) };
    this.#fromClient({ method: 'notifications/cancelled', params });
  }

  #send(request: SimulatedRequest, params: JsonObject): void {
    if (this.#client !== 'open') return;
    const mayAsk =
      this.#handshake === 'over' || (this.#handshake === 'asked' && !this.#circumstances.begins.late);
    if (this.#circumstances.era === 'legacy' && !mayAsk) return;
    const id = `c${++this.#lastId}`;
    this.#requests.set(id, request);
    const { method } = request;
    const isModern = this.#circumstances.era === 'modern';
    const _meta = { ...(isModern ? envelope(id) : {}), progressToken: `t-${id}` };
    this.#fromClient({ id, method, params: { ...params, _meta } });
  }

  /** The client tells how far it is with all that it was ever asked. */
  #tellProgress(): void {
    for (const progressToken of this.#questions.keys()) {
      this.#fromClient({ method: 'notifications/progress', params: { progressToken, progress: 1 } });
    }
  }

  #batch(methods: readonly number[]): void {
    if (this.#version !== BATCH_VERSION || this.#handshake !== 'over') return;
    const messages = methods.map((which) => {
      const { method, tool, by } = asking(which);
      const request = newRequest(method, tool);
      const id = `c${++this.#lastId}`;
      this.#requests.set(id, request);
      return { jsonrpc: '2.0', id, method, params: callParams(tool, by, id) };
    });
    const batch = messages.map(({ id }) => id);
    for (const id of batch) (this.#requests.get(id) as SimulatedRequest).batch = batch;
    this.#tell({ type: 'client', line: Line.json(messages) });
  }

  #progress(speaker: number, which: number): void {
    // One that was told to end may still speak.
    const present = [...this.#servers.values()].filter(({ life }) => life !== 'gone');
    const server = present[speaker % present.length];
    if (server === undefined) return;
    const had = [...this.#requests].filter(([, { sentTo }]) => sentTo.includes(server.generation));
    // What it has is mostly among the last ones that it got.
    const [id] = had.at(-1 - (which % Math.min(had.length, 3))) ?? [];
    if (id === undefined) return;
    const params = { progressToken: `t-${id}`, progress: ++server.progress, by: server.generation };
    this.#fromServer(server, { method: 'notifications/progress', params });
  }

  #announceAll(): void {
    for (const server of this.#servers.values()) {
      if (server.life === 'gone') continue;
      for (const message of server.announce()) this.#fromServer(server, message);
    }
  }

  #ask(server: SimulatedServer): void {
    if (server.handshake !== 'ready') return;
    const id = String(server.questions++);
    server.asked.add(id);
    if (this.#circumstances.era === 'legacy') {
      for (const request of this.#requests.values()) {
        if (request.answers === 0 && request.sentTo.at(-1) === server.generation) request.exchanged = true;
      }
    }
    const method = ++this.#lastId % 2 === 0 ? 'elicitation/create' : 'roots/list';
    this.#fromServer(server, { id, method, params: { _meta: { progressToken: id } } });
  }

  /** What a saved server speaks: mostly something that the client understands. */
  #choose(which: number): Speaks {
    const { era } = this.#circumstances;
    if (which < 2) return 'other';
    if (which < 4) return era === 'legacy' ? 'modern' : 'legacy';
    return which % 2 === 0 ? era : 'dual';
  }

  #onServer(
    which: number,
    act: (server: SimulatedServer) => void,
    suits: (server: SimulatedServer) => boolean = () => true,
  ): void {
    const running = [...this.#servers.values()].filter(
      (server) => server.life === 'running' && suits(server),
    );
    const server = running[which % running.length];
    if (server !== undefined) act(server);
  }

  #serve(server: SimulatedServer): void {
    const isList = server.inbox[0]?.method === 'tools/list';
    const said = server.serve();
    if (isList && this.#circumstances.era === 'modern' && said.some(({ result }) => result !== undefined)) {
      server.handshake = 'ready';
    }
    for (const message of said) this.#fromServer(server, message);
  }

  #exit(server: SimulatedServer): void {
    server.life = 'gone';
    this.#tell({
      type: 'exited',
      generation: server.generation,
      exit: { kind: 'exited', code: 1, signal: null },
      text: '',
      livedMs: 100,
    });
  }

  #wait(ms: number): void {
    this.#sayInitialized();
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (due === undefined) break;
      const [name, { at, event }] = due;
      this.#timers.delete(name);
      this.#now = Math.max(this.#now, at);
      this.#checkHeld();
      this.#tell(event);
    }
    this.#now = end;
    this.#checkHeld();
  }

  #sayInitialized(): void {
    if (this.#handshake !== 'answered') return;
    this.#fromClient({ method: 'notifications/initialized' });
    this.#handshake = 'over';
  }

  #fromClient(message: Message): void {
    this.#tell({ type: 'client', line: Line.json({ jsonrpc: '2.0', ...message }) });
  }

  #fromServer(server: SimulatedServer, message: Message): void {
    const { generation } = server;
    if (message.method === undefined && this.#requests.has(String(message.id))) server.hasAnswered = true;
    this.#speaking = generation;
    this.#tell({ type: 'server', generation, line: Line.json({ jsonrpc: '2.0', ...message }) });
    this.#speaking = undefined;
  }

  #tell(event: CoreEvent): void {
    this.#subscriptions.begin();
    this.#eraBefore = this.#era;
    const wasReady = this.#handshake === 'over';
    const told = this.#listChanged;
    this.#core.handle(event);
    for (const effect of this.#effects.splice(0)) this.#check(effect);
    const { active } = this.#core.status;
    if (active !== undefined && active !== this.#active) {
      const isFirst = this.#introduced.size === 0;
      this.#introduced.add(active);
      if (wasReady && !isFirst && this.#listChanged === told)
        throw new Error(`nobody was told that generation ${active} took over`);
      this.#subscriptions.takeOver(this.#eraBefore !== undefined);
    }
    this.#active = active;
    // As long as the era is open nobody can know what the client may be told.
    if (this.#era === 'modern') this.#subscriptions.checkTold();
    if (active !== undefined && this.#era === 'modern') this.#checkParts(active);
  }

  /** The generation that serves has been given every subscription. */
  #checkParts(generation: number): void {
    const server = this.#servers.get(generation);
    if (server?.life !== 'running') return;
    const given = new Set([...server.parts.values()].map((part) => part.of));
    for (const id of this.#subscriptions.wanted) {
      if (!given.has(id)) throw new Error(`generation ${generation} serves and never got ${id}`);
    }
  }

  #check(effect: Effect): void {
    switch (effect.do) {
      case 'to-client':
        this.#clientReads(effect.line.parse());
        return;
      case 'to-server':
        this.#serverGets(effect.generation, effect.line.parse() as Message);
        return;
      case 'set-session-timer':
        this.#paused.delete(JSON.stringify(effect.timer));
        this.#timers.set(JSON.stringify(effect.timer), {
          at: this.#now + effect.ms,
          event: { type: 'session-timer', timer: effect.timer },
        });
        return;
      case 'clear-session-timer':
        this.#timers.delete(JSON.stringify(effect.timer));
        this.#paused.delete(JSON.stringify(effect.timer));
        return;
      case 'pause-session-timer': {
        const name = JSON.stringify(effect.timer);
        const timer = this.#timers.get(name);
        if (timer === undefined) return;
        this.#timers.delete(name);
        this.#paused.set(name, { left: timer.at - this.#now, event: timer.event });
        return;
      }
      case 'resume-session-timer': {
        const name = JSON.stringify(effect.timer);
        const timer = this.#paused.get(name);
        if (timer === undefined) return;
        this.#paused.delete(name);
        this.#timers.set(name, { at: this.#now + timer.left, event: timer.event });
        return;
      }
      case 'set-reload-timer':
        this.#timers.set(effect.timer, {
          at: this.#now + effect.ms,
          event: { type: 'reload-timer', timer: effect.timer },
        });
        return;
      case 'clear-reload-timer':
        this.#timers.delete(effect.timer);
        return;
      case 'build':
        if (this.#build !== 'none') throw new Error('two builds at a time');
        this.#build = 'running';
        this.#building = this.#saves;
        return;
      case 'abort-build':
        if (this.#build !== 'running') throw new Error('there is no build to abort');
        this.#build = 'aborting';
        return;
      case 'start': {
        const running = [...this.#servers.values()].filter(({ life }) => life !== 'gone');
        if (this.#circumstances.exclusive && running.length > 0) throw new Error('two servers at a time');
        const speaks = this.#speaks[this.#built] as Speaks;
        const isTaken = this.#circumstances.ours === 'taken' && this.#built % 4 > 1;
        const special = isTaken ? TAKEN : undefined;
        const server = new SimulatedServer(effect.generation, this.#built, speaks, special);
        // As long as the era is not known there is no handshake.
        if (this.#circumstances.era === 'modern' && this.#era === undefined) server.handshake = 'ready';
        this.#servers.set(effect.generation, server);
        return;
      }
      case 'stop': {
        const server = this.#servers.get(effect.generation);
        if (server?.life === 'running') server.life = 'stopping';
        return;
      }
      case 'report':
        this.seen.add(effect.report.event);
        if (effect.report.event === 'ready') {
          const named = (effect.report.differences ?? []).map(({ name }) => name);
          if (this.#circumstances.ours !== 'taken' && named.some((name) => name.startsWith('mcp_dev_')))
            throw new Error(`${named} are said to differ`);
          const server = this.#servers.get(effect.report.generation) as SimulatedServer;
          if (this.#eraBefore !== undefined && !fits(server.speaks, this.#eraBefore, this.#version)) {
            throw new Error(
              `a server that speaks ${server.speaks} took over a session of the ${this.#era} era`,
            );
          }
          if (server.version === this.#saves && !this.#gathering) this.#awaitedSince = undefined;
        } else if (!this.#gathering && this.#core.status.state === 'idle') this.#awaitedSince = undefined;
        // What failed is tried again, and waited for anew.
        if (effect.report.event !== 'ready') this.#unservedSince = undefined;
        else this.#unservedSince = this.#savedAt[this.#servers.get(effect.report.generation)?.version ?? 0];
        return;
      case 'execute':
        this.#begins(effect);
        return;
      case 'garbage':
        throw new Error('a message was taken for garbage');
      case 'warn':
        return;
    }
  }

  /** A tool of ours is carried out for a request that nobody else has. */
  #begins({ key, tool, args }: Extract<Effect, { do: 'execute' }>): void {
    this.seen.add('executed');
    const request = this.#requests.get(String(args.of));
    if (tool !== STATUS || request === undefined || request.sentTo.length > 0 || request.answers > 0)
      throw new Error(`${tool} is carried out for ${args.of}`);
    request.executing = key;
    this.#executing.add(key);
  }

  /** Nothing waits longer for a save than it may, however many follow. */
  #checkHeld(): void {
    const since = this.#unservedSince;
    if (since === undefined || this.#now - since <= HOLD_MS || this.#client !== 'open') return;
    if (this.#circumstances.era === 'legacy' && this.#handshake !== 'over') return;
    for (const [id, { answers, cancelled, sentTo, method, batch, executing }] of this.#requests) {
      if (executing !== undefined) continue;
      // What a crash interrupted waits for the next generation, and an answer of ours for the rest of its batch.
      if (answers > 0 || cancelled || sentTo.length > 0 || batch.length > 1) continue;
      throw new Error(`${method} ${id} waits ${this.#now - since} ms after a save`);
    }
  }

  /** One line: a message, or the answer to a batch. */
  #clientReads(line: unknown): void {
    if (!Array.isArray(line)) {
      const message = line as Message;
      const alone = message.method === undefined ? this.#requests.get(String(message.id)) : undefined;
      if (alone !== undefined && alone.batch.length > 0) throw new Error(`${message.id} left its batch`);
      this.#clientGets(message);
      return;
    }
    this.seen.add('batch');
    const answered = new Set(line.map(({ id }) => String(id)));
    const [some] = answered;
    for (const id of this.#requests.get(String(some))?.batch ?? []) {
      const request = this.#requests.get(id) as SimulatedRequest;
      // The answer may have been there when the client took its word back.
      if (answered.has(id)) request.cancelled = false;
      else if (!request.cancelled) throw new Error(`${id} is missing from the answer to its batch`);
    }
    for (const message of line) this.#clientGets(message as Message);
  }

  #clientGets(message: Message): void {
    if (message.method !== undefined) {
      this.#clientIsTold(message);
      return;
    }
    if (this.#subscriptions.has(String(message.id))) {
      this.#subscriptions.answer(message, this.#client === 'closing');
      return;
    }
    const request = this.#requests.get(String(message.id));
    if (request === undefined) throw new Error(`the client never asked ${message.id}`);
    request.answers++;
    if (message.result?.by !== undefined || request.method === 'tools/list') this.#subscriptions.read();
    if (request.answers > 1) throw new Error(`${message.id} was answered twice`);
    if (request.cancelled) throw new Error(`${message.id} was answered after it was cancelled`);
    if (message.id === 'init') {
      if (message.result === undefined) this.#client = 'refused';
      else {
        this.#era = 'legacy';
        this.#version = String(message.result.protocolVersion);
        this.#handshake = 'answered';
        if (!this.#circumstances.begins.late) this.#sayInitialized();
      }
      return;
    }
    if (message.id === 'probe') {
      this.#initialize();
      return;
    }
    if (message.result !== undefined) this.#checkResult(request, message.result);
    const by = message.result?.by;
    // What a server is and can may be told from memory.
    if (typeof by !== 'number' || request.method === 'server/discover') return;
    if (request.sentTo.at(-1) !== by)
      throw new Error(`generation ${by} answered ${message.id} and did not have it`);
    if (
      request.old &&
      MARKED.has(request.method) &&
      !JSON.stringify(message.result).includes('"stale":true')
    ) {
      throw new Error(`old code of generation ${by} passed for new`);
    }
    // That it lives is no news.
    if (request.method !== 'ping') this.#mayBeHeard(by);
  }

  #clientIsTold(message: Message): void {
    const { id, method, params } = message;
    this.seen.add(method ?? '');
    const isOfChanges = FLAG_METHODS.has(method ?? '') || method === 'notifications/resources/updated';
    if (isOfChanges && params?.by !== undefined && params.by === this.#speaking) {
      const { active } = this.#core.status;
      if (active !== params.by)
        throw new Error(`generation ${params.by} says ${method}, and ${active} serves`);
    }
    if (this.#subscriptions.hear(message)) return;
    if (this.#circumstances.era === 'modern') {
      if (FLAG_METHODS.has(method ?? '')) throw new Error(`${method} belongs to no subscription`);
      if (id !== undefined && this.#era === 'modern') throw new Error(`the client was asked for ${method}`);
    }
    if (method === 'notifications/progress') this.#clientHearsProgress(params ?? {});
    if (method === 'notifications/tools/list_changed' && params?.by === undefined) this.#listChanged++;
    if (method === 'notifications/message') this.#mayBeHeard(Number(params?.generation));
    if (method === 'notifications/cancelled') {
      if (this.#subscriptions.has(String(params?.requestId))) throw new Error('a subscription was cancelled');
      this.#questions.set(String(params?.requestId), { open: false });
    }
    if (id === undefined) return;
    if (this.#questions.has(String(id))) throw new Error(`the id ${id} was used twice`);
    this.#questions.set(String(id), { open: true });
  }

  /** Progress is told while its request is open, by the generation that has it, and goes up. */
  #clientHearsProgress({ progressToken, progress, by }: JsonObject): void {
    this.seen.add('notifications/progress');
    const request = this.#requests.get(String(progressToken).slice('t-'.length));
    if (request === undefined) throw new Error(`there is progress of ${progressToken}, which is nothing`);
    if (request.answers > 0 || request.cancelled)
      throw new Error(`there is progress of ${progressToken}, which is over`);
    if (request.sentTo.at(-1) !== by)
      throw new Error(`generation ${by} tells of ${progressToken} and does not have it`);
    const isAgain = request.sentTo.length > 1;
    if (isAgain && Number(progress) <= request.progress)
      throw new Error(`${progressToken} fell back to ${progress}`);
    request.progress = Number(progress);
  }

  /** A result has what its era asks of every result, whoever gives it. */
  #checkResult({ method, inEra, executing, readsOn }: SimulatedRequest, result: JsonObject): void {
    if (executing !== result.key) throw new Error(`${executing} got the result of ${result.key}`);
    if (method === 'tools/list') this.#checkTools(result, readsOn);
    const { by, resultType, ttlMs, cacheScope, nextCursor } = result;
    this.seen.add(String(resultType));
    if (nextCursor !== undefined) this.#cursors.push(String(nextCursor));
    const server = this.#servers.get(Number(by));
    if (this.#circumstances.era === 'legacy') {
      // What a server is, it says in either era in the words of the newer one.
      if (resultType !== undefined && this.#client === 'open' && method !== 'server/discover')
        throw new Error(`${method} has a resultType`);
      return;
    }
    // As long as the era is open, a server without the client's version is nobody's fault.
    if (server?.speaksModern === false && !inEra) return;
    if (typeof resultType !== 'string') throw new Error(`the result of ${method} has no resultType`);
    if (KEPT.has(method) && (ttlMs !== 0 || typeof cacheScope !== 'string')) {
      throw new Error(`the result of ${method} may be kept for ${ttlMs} ms, ${cacheScope}`);
    }
    if (resultType === 'input_required') this.#inputs.push(String(result.requestState));
    // What a generation says that was replaced before the era was known tells nothing of the one that serves.
    const isCurrent = server !== undefined && server.generation >= (this.#active ?? 0);
    if (isCurrent && method !== 'server/discover') this.#era = 'modern';
  }

  /** Our tools are at the end of the first page, and nowhere else. */
  #checkTools({ tools }: JsonObject, readsOn: boolean): void {
    const names = (tools as { name: string }[]).map(({ name }) => name);
    const { ours } = this.#circumstances;
    const isFull = ours !== 'none' && !readsOn;
    const expected = isFull ? [STATUS, CALL] : [];
    const found = names.filter((name) => name.startsWith('mcp_dev_'));
    if (`${found}` !== `${expected}`) throw new Error(`the client reads ${names}`);
    if (isFull && names.at(-1) !== CALL) throw new Error(`${CALL} is not the last one`);
  }

  /** The client must have been told of a generation before it hears from it. */
  #mayBeHeard(generation: number): void {
    if (this.#circumstances.era === 'modern') {
      if (this.#era === undefined) return;
      if (!this.#introduced.has(generation)) this.#subscriptions.takeOver(this.#eraBefore !== undefined);
      this.#subscriptions.checkTold();
      return;
    }
    if (this.#client === 'refused') return;
    const before = this.#toldBefore.get(generation);
    if (before === undefined || this.#listChanged <= before) {
      throw new Error(`generation ${generation} was heard before the client was told of it`);
    }
  }

  #serverGets(generation: number, message: Message): void {
    const server = this.#servers.get(generation);
    if (server === undefined || server.life === 'gone')
      throw new Error(`generation ${generation} is not there`);
    const { id, method } = message;
    if (method === undefined) {
      server.arrive(message);
      if (!server.asked.delete(String(id))) throw new Error('a server got an answer to nothing');
      return;
    }
    const { era } = this.#circumstances;
    if (
      era === 'modern' &&
      server.pinned === 'none' &&
      method !== 'server/discover' &&
      !isEnveloped(message)
    ) {
      throw new Error(`${method} without an envelope was the first message of generation ${generation}`);
    }
    server.arrive(message);
    if (method === 'initialize') return;
    if (method === 'notifications/progress') {
      if (!server.asked.has(String(message.params?.progressToken)))
        throw new Error(`generation ${generation} was told of progress that it did not ask for`);
      return;
    }
    const cursor = message.params?.cursor;
    if (cursor !== undefined && cursor !== `by ${generation}`)
      throw new Error(`generation ${generation} was asked to go on ${cursor}`);
    if (message.id === 'probe') {
      this.#requests.get('probe')?.sentTo.push(generation);
      return;
    }
    const isPing = method === 'ping';
    const mayComeEarly = isPing || method === 'notifications/cancelled';
    if (era === 'legacy' && server.handshake === 'none' && !mayComeEarly && this.#client === 'open')
      throw new Error(`${method} came before the handshake`);
    if (method === 'notifications/cancelled') {
      const cancelled = this.#requests.get(String(message.params?.requestId));
      const hasIt = cancelled?.answers === 0 && cancelled.sentTo.at(-1) === generation;
      if (!hasIt && !server.parts.has(String(message.params?.requestId)))
        throw new Error(`generation ${generation} was told to cancel what it did not have`);
    }
    if (method === 'notifications/initialized') {
      server.handshake = 'ready';
      const wasActive = this.#core.status.active === generation || this.#introduced.has(generation);
      this.#toldBefore.set(generation, wasActive ? -1 : this.#listChanged);
      return;
    }
    const request = this.#requests.get(String(message.id));
    if (request === undefined) return;
    this.#checkCalled(request, message);
    if (server.life === 'stopping') throw new Error('a request went to a server that is being stopped');
    if (server.handshake !== 'ready' && !isPing && this.#client === 'open')
      throw new Error(`${method} came before the handshake was over`);
    if (era === 'modern' && traceOf(message) !== id) throw new Error(`the envelope of ${method} was changed`);
    this.#checkSentAgain(request, server);
    request.sentTo.push(generation);
    request.old = server.version < this.#saves;
    request.inEra = this.#era !== undefined;
    const since = this.#awaitedSince;
    const old = server.version < this.#saves;
    if (!isPing && old && since !== undefined && this.#now - since < HOLD_MS) {
      throw new Error(`${method} went to old code ${this.#now - since} ms after a save`);
    }
  }

  /** A server gets a call of what the client wants to call, and of ours only where it may have that itself. */
  #checkCalled({ tool, executing }: SimulatedRequest, { id, params }: Message): void {
    if (executing !== undefined) throw new Error(`${id} went to a server while it is carried out`);
    const { ours } = this.#circumstances;
    if (tool === undefined || ours === 'none') return;
    if (params?.name !== tool) throw new Error(`a server was to call ${params?.name} in place of ${tool}`);
    if (tool === STATUS && ours !== 'taken') throw new Error(`a server was to call ${tool}`);
    const { of } = params.arguments as JsonObject;
    if (of !== undefined && of !== id) throw new Error(`${id} has the arguments of ${of}`);
  }

  /** What a generation could not answer may go to one more, if it is harmless. */
  #checkSentAgain(request: SimulatedRequest, server: SimulatedServer): void {
    const [first] = request.sentTo;
    if (first === undefined) return;
    if (SAFE.has(request.method) && !request.continues) {
      // A generation that never answered anything was none yet.
      const had = request.sentTo.filter((generation) => this.#servers.get(generation)?.hasAnswered);
      if (had.length > 1) throw new Error(`${request.method} was sent three times`);
      return;
    }
    if (request.sentTo.length > 1) throw new Error(`${request.method} was sent three times`);
    const before = this.#servers.get(first)?.version ?? 2;
    const harmless =
      request.tool !== 'echo' &&
      request.tool !== undefined &&
      isReadOnly(before) &&
      isReadOnly(server.version);
    if (!harmless || request.exchanged || request.continues)
      throw new Error(`${request.method} ${request.tool} was sent twice`);
  }
}

function asking(which: number): Asking {
  return REQUESTS[which % REQUESTS.length] as Asking;
}

/** The parameters of what the client asks under this id. */
function callParams(tool: string | undefined, by: string | undefined, id: string): JsonObject {
  if (tool === undefined) return {};
  const inner = { of: id };
  return by === undefined
    ? { name: tool, arguments: inner }
    : { name: by, arguments: { tool, arguments: inner } };
}
