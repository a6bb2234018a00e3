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
  /** The client answers what a server asked. */
  | { readonly step: 'reply'; readonly which: number }
  /** The client opens a subscription. */
  | { readonly step: 'listen'; readonly asks: number }
  | { readonly step: 'unlisten'; readonly which: number; readonly bare: boolean }
  /** `speaks` chooses what the saved server speaks. */
  | { readonly step: 'save'; readonly speaks: number }
  | { readonly step: 'gathered' }
  | { readonly step: 'reload' }
  | { readonly step: 'build-ends'; readonly works: boolean }
  /** A server takes its next message. */
  | { readonly step: 'serve'; readonly server: number }
  | { readonly step: 'crash'; readonly server: number }
  /** A server closes its stdout and lives on. */
  | { readonly step: 'cut-off'; readonly server: number }
  /** A server asks the client something; `dies`: and is gone a moment later. */
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
  /** The generations that got it, in order. */
  readonly sentTo: number[];
  answers: number;
  cancelled: boolean;
  /** The generation that has it asked the client something. */
  exchanged: boolean;
  /** It went to code that was not the newest. */
  old: boolean;
}

const newRequest = (method: string, tool?: string, continues = false): SimulatedRequest => {
  return { method, tool, continues, sentTo: [], answers: 0, cancelled: false, exchanged: false, old: false };
};

/** What the simulation is about: a client of one era, and servers that may run side by side or not. */
export interface Circumstances {
  readonly era: Era;
  /** Chooses what the first server speaks. */
  readonly speaks: number;
  readonly exclusive: boolean;
}

/** What clients ask; `tool` for calls. */
const REQUESTS = [
  { method: 'tools/call', tool: 'echo' },
  { method: 'tools/call', tool: 'look' },
  { method: 'tools/call', tool: 'look' },
  { method: 'tools/call', tool: 'ask' },
  { method: 'tools/list', tool: undefined },
  { method: 'resources/read', tool: undefined },
  { method: 'ping', tool: undefined },
  { method: 'x/unknown', tool: undefined },
  { method: 'server/discover', tool: undefined },
] as const;
/** Methods that may be sent to a second generation, whatever the first one did. */
const SAFE = new Set(['tools/list', 'resources/read', 'ping', 'server/discover']);
const LIST = REQUESTS.findIndex(({ method }) => method === 'tools/list');
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
  /** `refused`: its handshake was, and it gives up. */
  #client: 'open' | 'refused' | 'closing' = 'open';
  /** Requests of the client: to which generation they went, and how often they were answered. */
  readonly #requests = new Map<string, SimulatedRequest>();
  /** What servers asked the client, by the id that the client saw. */
  readonly #questions = new Map<string, { open: boolean }>();
  /** What servers want to know of the client before they go on with a call: the state that it has to send back. */
  readonly #inputs: string[] = [];
  readonly #subscriptions = new Subscriptions();
  /** How often the client had been told of changes when a generation was initialized; -1: the client did that. */
  readonly #toldBefore = new Map<number, number>();
  /** What each version of the server speaks. */
  readonly #speaks: Speaks[] = [];
  #active: number | undefined;
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
  #listChanged = 0;
  readonly #effects: Effect[] = [];
  /** What was reported, what the client was told, and of what kind its results were. */
  readonly seen = new Set<string>();

  constructor(circumstances: Circumstances) {
    const { era, speaks, exclusive } = circumstances;
    this.#circumstances = circumstances;
    this.#version = VERSIONS[era];
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
        tools: [],
        transparent: false,
      },
      { exclusive: exclusive ? 'on' : 'auto', hold: HOLD_MS, readyTimeout: 3000, lastWords: () => '' },
      (effect) => this.#effects.push(effect),
      () => this.#now,
    );
    this.#tell({ type: 'begin' });
    if (era === 'modern') return;
    this.#requests.set('init', newRequest('initialize'));
    const clientInfo = { name: 'c', version: '1' };
    this.#fromClient({
      id: 'init',
      method: 'initialize',
      params: { protocolVersion: VERSIONS.legacy, capabilities: {}, clientInfo },
    });
  }

  take(step: Step): void {
    switch (step.step) {
      case 'request':
        this.#request(step.method);
        return;
      case 'cancel': {
        const open = [...this.#requests].filter(([, { answers, cancelled }]) => answers === 0 && !cancelled);
        const [id, request] = open[step.which % open.length] ?? [];
        if (id === undefined || request === undefined || request.method === 'initialize') return;
        request.cancelled = true;
        this.#cancel(id, step.bare && request.method !== 'server/discover');
        return;
      }
      case 'reply': {
        const open = [...this.#questions].filter(([, question]) => question.open);
        const [id, question] = open[step.which % open.length] ?? [];
        if (id === undefined || question === undefined) {
          this.#retry(step.which);
          return;
        }
        question.open = false;
        this.#fromClient({ id, result: { for: id } });
        return;
      }
      case 'listen':
        this.#listen(step.asks);
        return;
      case 'unlisten': {
        const { wanted } = this.#subscriptions;
        const id = wanted[step.which % wanted.length];
        if (id === undefined) return;
        this.#subscriptions.cancel(id);
        this.#cancel(id, step.bare);
        return;
      }
      case 'save':
        this.#saves++;
        this.#speaks.push(this.#choose(step.speaks));
        this.#gathering = true;
        this.#awaitedSince ??= this.#now;
        this.#tell({ type: 'change-seen' });
        return;
      case 'gathered':
        this.#gathered();
        return;
      case 'reload':
        this.#tell({ type: 'requested', by: 'test' });
        return;
      case 'build-ends':
        this.#endBuild(step.works);
        return;
      case 'serve':
        this.#onServer(step.server, (server) => this.#serve(server));
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

  /** Lets everything work from now on, until nothing is left to do; then everything must have been answered. */
  settle(): void {
    for (let round = 0; round < 2000; round++) {
      if (this.#gathering) this.#gathered();
      this.#endBuild(true);
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
    this.#client = 'closing';
    this.#tell({ type: 'closing' });
    const { wanted } = this.#subscriptions;
    if (wanted.length > 0) throw new Error(`${wanted} were not ended`);
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
    const { method, tool } = REQUESTS[which % REQUESTS.length] as (typeof REQUESTS)[number];
    this.#send(newRequest(method, tool), tool === undefined ? {} : { name: tool, arguments: {} });
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
    const id = `c${++this.#lastId}`;
    this.#requests.set(id, request);
    const { method } = request;
    const isModern = this.#circumstances.era === 'modern';
    this.#fromClient({ id, method, params: isModern ? { ...params, _meta: envelope(id) } : params });
  }

  #ask(server: SimulatedServer): void {
    if (server.handshake !== 'ready') return;
    const id = String(server.asked.size);
    server.asked.add(id);
    if (this.#circumstances.era === 'legacy') {
      for (const request of this.#requests.values()) {
        if (request.answers === 0 && request.sentTo.at(-1) === server.generation) request.exchanged = true;
      }
    }
    const method = server.asked.size % 2 === 0 ? 'elicitation/create' : 'roots/list';
    this.#fromServer(server, { id, method });
  }

  /** What a saved server speaks: mostly something that the client understands. */
  #choose(which: number): Speaks {
    const { era } = this.#circumstances;
    if (which < 2) return 'other';
    if (which < 4) return era === 'legacy' ? 'modern' : 'legacy';
    return which % 2 === 0 ? era : 'dual';
  }

  #onServer(which: number, act: (server: SimulatedServer) => void): void {
    const running = [...this.#servers.values()].filter(({ life }) => life === 'running');
    const server = running[which % running.length];
    if (server !== undefined) act(server);
  }

  #serve(server: SimulatedServer): void {
    const isList = server.inbox[0]?.method === 'tools/list';
    for (const message of server.serve()) this.#fromServer(server, message);
    if (isList && this.#circumstances.era === 'modern') server.handshake = 'ready';
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
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (due === undefined) break;
      const [name, { at, event }] = due;
      this.#timers.delete(name);
      this.#now = Math.max(this.#now, at);
      this.#tell(event);
    }
    this.#now = end;
  }

  #fromClient(message: Message): void {
    this.#tell({ type: 'client', line: Line.json({ jsonrpc: '2.0', ...message }) });
  }

  #fromServer(server: SimulatedServer, message: Message): void {
    if (message.method === undefined && this.#requests.has(String(message.id))) server.hasAnswered = true;
    const line = Line.json({ jsonrpc: '2.0', ...message });
    this.#tell({ type: 'server', generation: server.generation, line });
  }

  #tell(event: CoreEvent): void {
    this.#subscriptions.begin();
    this.#core.handle(event);
    for (const effect of this.#effects.splice(0)) this.#check(effect);
    const { active } = this.#core.status;
    if (active !== undefined && active !== this.#active) {
      this.#introduced.add(active);
      this.#subscriptions.takeOver();
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
        this.#clientGets(effect.line.parse() as Message);
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
        const server = new SimulatedServer(effect.generation, this.#built, speaks);
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
          const server = this.#servers.get(effect.report.generation) as SimulatedServer;
          if (this.#era !== undefined && !fits(server.speaks, this.#era, this.#version)) {
            throw new Error(
              `a server that speaks ${server.speaks} took over a session of the ${this.#era} era`,
            );
          }
          if (server.version === this.#saves) this.#awaitedSince = undefined;
        } else if (!this.#gathering) this.#awaitedSince = undefined;
        return;
      case 'garbage':
        throw new Error('a message was taken for garbage');
      case 'warn':
        return;
    }
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
    if (request.answers > 1) throw new Error(`${message.id} was answered twice`);
    if (request.cancelled) throw new Error(`${message.id} was answered after it was cancelled`);
    if (message.id === 'init') {
      if (message.result === undefined) this.#client = 'refused';
      else {
        this.#era = 'legacy';
        this.#version = String(message.result.protocolVersion);
        this.#fromClient({ method: 'notifications/initialized' });
      }
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
    this.#mayBeHeard(by);
  }

  #clientIsTold(message: Message): void {
    const { id, method, params } = message;
    this.seen.add(method ?? '');
    if (this.#subscriptions.hear(message)) return;
    if (this.#circumstances.era === 'modern') {
      if (FLAG_METHODS.has(method ?? '')) throw new Error(`${method} belongs to no subscription`);
      if (id !== undefined && this.#era === 'modern') throw new Error(`the client was asked for ${method}`);
    }
    if (method === 'notifications/tools/list_changed') this.#listChanged++;
    if (method === 'notifications/message') this.#mayBeHeard(Number(params?.generation));
    if (method === 'notifications/cancelled') {
      if (this.#subscriptions.has(String(params?.requestId))) throw new Error('a subscription was cancelled');
      this.#questions.set(String(params?.requestId), { open: false });
    }
    if (id === undefined) return;
    if (this.#questions.has(String(id))) throw new Error(`the id ${id} was used twice`);
    this.#questions.set(String(id), { open: true });
  }

  /** A result has what its era asks of every result, whoever gives it. */
  #checkResult({ method }: SimulatedRequest, result: JsonObject): void {
    const { by, resultType, ttlMs, cacheScope } = result;
    this.seen.add(String(resultType));
    const server = this.#servers.get(Number(by));
    if (this.#circumstances.era === 'legacy') {
      if (resultType !== undefined && this.#client === 'open') throw new Error(`${method} has a resultType`);
      return;
    }
    // As long as the era is open, a server without the client's version is nobody's fault.
    if (server?.speaksModern === false && this.#era === undefined) return;
    if (typeof resultType !== 'string') throw new Error(`the result of ${method} has no resultType`);
    if (KEPT.has(method) && (ttlMs !== 0 || typeof cacheScope !== 'string')) {
      throw new Error(`the result of ${method} may be kept for ${ttlMs} ms, ${cacheScope}`);
    }
    if (resultType === 'input_required') this.#inputs.push(String(result.requestState));
    // What a generation says that was replaced before the era was known tells nothing of the one that serves.
    const isCurrent = server !== undefined && server.generation >= (this.#active ?? 0);
    if (isCurrent && method !== 'server/discover') this.#era = 'modern';
  }

  /** The client must have been told of a generation before it hears from it. */
  #mayBeHeard(generation: number): void {
    if (this.#circumstances.era === 'modern') {
      if (this.#era === undefined) return;
      if (!this.#introduced.has(generation)) this.#subscriptions.takeOver();
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
    if (era === 'legacy' && server.handshake === 'none' && this.#client === 'open')
      throw new Error(`${method} came before the handshake`);
    if (method === 'notifications/initialized') {
      server.handshake = 'ready';
      const isActive = this.#core.status.active === generation;
      this.#toldBefore.set(generation, isActive ? -1 : this.#listChanged);
      return;
    }
    const request = this.#requests.get(String(message.id));
    if (request === undefined) return;
    if (server.life === 'stopping') throw new Error('a request went to a server that is being stopped');
    if (server.handshake !== 'ready' && this.#client === 'open')
      throw new Error(`${method} came before the handshake was over`);
    if (era === 'modern' && traceOf(message) !== id) throw new Error(`the envelope of ${method} was changed`);
    this.#checkSentAgain(request, server);
    request.sentTo.push(generation);
    request.old = server.version < this.#saves;
    const since = this.#awaitedSince;
    const old = server.version < this.#saves;
    if (method !== 'ping' && old && since !== undefined && this.#now - since < HOLD_MS) {
      throw new Error(`${method} went to old code ${this.#now - since} ms after a save`);
    }
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
    const harmless = request.tool === 'look' && isReadOnly(before) && isReadOnly(server.version);
    if (!harmless || request.exchanged || request.continues)
      throw new Error(`${request.method} ${request.tool} was sent twice`);
  }
}
