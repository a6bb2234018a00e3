import { Core, type CoreEvent, type Effect } from '../../src/reload/core.ts';
import { Line } from '../../src/wire/line.ts';

/** One thing that may happen; the numbers choose among what is there. */
export type Step =
  | { readonly step: 'request'; readonly method: number }
  | { readonly step: 'cancel'; readonly which: number }
  /** The client answers what a server asked. */
  | { readonly step: 'reply'; readonly which: number }
  | { readonly step: 'save' }
  | { readonly step: 'gathered' }
  | { readonly step: 'reload' }
  | { readonly step: 'build-ends'; readonly works: boolean }
  /** A server takes its next message. */
  | { readonly step: 'serve'; readonly server: number }
  | { readonly step: 'crash'; readonly server: number }
  /** A server closes its stdout and lives on. */
  | { readonly step: 'cut-off'; readonly server: number }
  /** A server asks the client something. */
  | { readonly step: 'ask'; readonly server: number }
  | { readonly step: 'announce'; readonly server: number }
  | { readonly step: 'exit'; readonly server: number }
  | { readonly step: 'wait'; readonly ms: number };

interface Message {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: { readonly [key: string]: unknown };
  readonly result?: { readonly [key: string]: unknown };
  readonly error?: { readonly data?: unknown };
}

interface SimulatedRequest {
  readonly method: string;
  readonly tool: string | undefined;
  /** The generations that got it, in order. */
  readonly sentTo: number[];
  answers: number;
  cancelled: boolean;
  /** The generation that has it asked the client something. */
  exchanged: boolean;
  /** It went to code that was not the newest. */
  old: boolean;
}

const newRequest = (method: string, tool?: string): SimulatedRequest => {
  return { method, tool, sentTo: [], answers: 0, cancelled: false, exchanged: false, old: false };
};

interface SimulatedServer {
  readonly generation: number;
  /** How many saves it has seen. */
  readonly version: number;
  readonly inbox: Message[];
  readonly asked: Set<string>;
  handshake: 'none' | 'answered' | 'initialized';
  life: 'running' | 'stopping' | 'gone';
  /** How often the client had been told of changes when this one was initialized; -1: the client did that. */
  toldBefore: number;
}

/** What clients ask; `tool` for calls. */
const REQUESTS = [
  { method: 'tools/call', tool: 'echo' },
  { method: 'tools/call', tool: 'look' },
  { method: 'tools/list', tool: undefined },
  { method: 'resources/read', tool: undefined },
  { method: 'ping', tool: undefined },
  { method: 'x/unknown', tool: undefined },
] as const;
/** Methods that may be sent to a second generation, whatever the first one did. */
const SAFE = new Set(['tools/list', 'resources/read', 'ping']);
/** Methods whose results say so when old code gave them. */
const MARKED = new Set(['tools/call', 'resources/read']);
/** Whether a version of the server calls its tool `look` read-only: some do. */
const isReadOnly = (version: number): boolean => version % 3 !== 2;
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
  readonly #exclusive: boolean;
  /** Requests of the client: to which generation they went, and how often they were answered. */
  readonly #requests = new Map<string, SimulatedRequest>();
  /** What servers asked the client, by the id that the client saw. */
  readonly #questions = new Map<string, { open: boolean }>();
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
  readonly reports: string[] = [];

  constructor(exclusive: boolean) {
    this.#exclusive = exclusive;
    this.#core = new Core(
      {
        name: 'simulated',
        hold: HOLD_MS,
        drain: 5000,
        exclusiveDrain: 2000,
        replay: 'safe',
        stale: 'notice',
        answerAfter: 8000,
      },
      { exclusive: exclusive ? 'on' : 'auto', hold: HOLD_MS, readyTimeout: 3000, lastWords: () => '' },
      (effect) => this.#effects.push(effect),
      () => this.#now,
    );
    this.#tell({ type: 'begin' });
    this.#fromClient({
      id: 'init',
      method: 'initialize',
      params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'c', version: '1' } },
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
        this.#fromClient({ method: 'notifications/cancelled', params: { requestId: id } });
        return;
      }
      case 'reply': {
        const open = [...this.#questions].filter(([, question]) => question.open);
        const [id, question] = open[step.which % open.length] ?? [];
        if (id === undefined || question === undefined) return;
        question.open = false;
        this.#fromClient({ id, result: { for: id } });
        return;
      }
      case 'save':
        this.#saves++;
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
          if (server.handshake !== 'initialized') return;
          const id = String(server.asked.size);
          server.asked.add(id);
          for (const request of this.#requests.values()) {
            if (request.answers === 0 && request.sentTo.at(-1) === server.generation)
              request.exchanged = true;
          }
          const method = server.asked.size % 2 === 0 ? 'elicitation/create' : 'roots/list';
          this.#fromServer(server, { id, method });
        });
        return;
      case 'announce':
        this.#onServer(step.server, (server) => {
          if (server.handshake !== 'initialized') return;
          this.#fromServer(server, {
            method: 'notifications/message',
            params: { generation: server.generation },
          });
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
      if (round > 1000 && this.#isQuiet()) break;
      this.#wait(50);
    }
    for (const [id, { method, answers, cancelled }] of this.#requests) {
      if (!cancelled && answers !== 1) throw new Error(`${method} ${id} got ${answers} answers`);
    }
    const { active, broken, state } = this.#core.status;
    const running = [...this.#servers.values()].filter(({ life }) => life !== 'gone');
    if (running.length > 1) throw new Error(`${running.length} servers are left`);
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
    const id = `c${++this.#lastId}`;
    this.#requests.set(id, newRequest(method, tool));
    this.#fromClient({ id, method, params: tool === undefined ? {} : { name: tool, arguments: {} } });
  }

  #onServer(which: number, act: (server: SimulatedServer) => void): void {
    const running = [...this.#servers.values()].filter(({ life }) => life === 'running');
    const server = running[which % running.length];
    if (server !== undefined) act(server);
  }

  #serve(server: SimulatedServer): void {
    const message = server.inbox.shift();
    if (message?.id === undefined || message.method === undefined) return;
    switch (message.method) {
      case 'initialize': {
        server.handshake = 'answered';
        const { protocolVersion } = message.params as { protocolVersion: string };
        const serverInfo = { name: 'simulated', version: '1' };
        this.#fromServer(server, {
          id: message.id,
          result: { protocolVersion, capabilities: { tools: {} }, serverInfo },
        });
        return;
      }
      case 'tools/list': {
        const annotations = { readOnlyHint: isReadOnly(server.version) };
        const tools = [
          { name: 'echo', description: `v${server.version}` },
          { name: 'look', annotations },
        ];
        this.#fromServer(server, { id: message.id, result: { tools, by: server.generation } });
        return;
      }
      default:
        this.#fromServer(server, { id: message.id, result: { by: server.generation } });
    }
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
    if (message.method === 'initialize') {
      this.#requests.set('init', newRequest('initialize'));
    }
    this.#tell({ type: 'client', line: Line.json({ jsonrpc: '2.0', ...message }) });
  }

  #fromServer(server: SimulatedServer, message: Message): void {
    const line = Line.json({ jsonrpc: '2.0', ...message });
    this.#tell({ type: 'server', generation: server.generation, line });
  }

  #tell(event: CoreEvent): void {
    this.#core.handle(event);
    for (const effect of this.#effects.splice(0)) this.#check(effect);
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
        if (this.#exclusive && running.length > 0) throw new Error('two servers at a time');
        this.#servers.set(effect.generation, {
          generation: effect.generation,
          version: this.#built,
          inbox: [],
          asked: new Set(),
          handshake: 'none',
          life: 'running',
          toldBefore: Number.POSITIVE_INFINITY,
        });
        return;
      }
      case 'stop': {
        const server = this.#servers.get(effect.generation);
        if (server?.life === 'running') server.life = 'stopping';
        return;
      }
      case 'report':
        this.reports.push(effect.report.event);
        if (effect.report.event === 'ready') {
          const server = this.#servers.get(effect.report.generation);
          if (server?.version === this.#saves) this.#awaitedSince = undefined;
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
      if (message.method === 'notifications/tools/list_changed') this.#listChanged++;
      if (message.method === 'notifications/message') {
        this.#mayBeHeard(Number(message.params?.generation));
      }
      if (message.method === 'notifications/cancelled') {
        this.#questions.set(String(message.params?.requestId), { open: false });
      }
      if (message.id !== undefined) {
        if (this.#questions.has(String(message.id))) throw new Error(`the id ${message.id} was used twice`);
        this.#questions.set(String(message.id), { open: true });
      }
      return;
    }
    const request = this.#requests.get(String(message.id));
    if (request === undefined) throw new Error(`the client never asked ${message.id}`);
    request.answers++;
    if (request.answers > 1) throw new Error(`${message.id} was answered twice`);
    if (message.id === 'init') {
      this.#fromClient({ method: 'notifications/initialized' });
      return;
    }
    const by = message.result?.by;
    if (typeof by !== 'number') return;
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

  /** The client must have been told of a generation before it hears from it. */
  #mayBeHeard(generation: number): void {
    const before = this.#servers.get(generation)?.toldBefore;
    if (before === undefined || this.#listChanged <= before) {
      throw new Error(`generation ${generation} was heard before the client was told of it`);
    }
  }

  #serverGets(generation: number, message: Message): void {
    const server = this.#servers.get(generation);
    if (server === undefined || server.life === 'gone')
      throw new Error(`generation ${generation} is not there`);
    server.inbox.push(message);
    if (message.method === undefined) {
      if (!server.asked.delete(String(message.id))) throw new Error('a server got an answer to nothing');
      return;
    }
    if (message.method === 'initialize') return;
    if (server.handshake === 'none') throw new Error(`${message.method} came before the handshake`);
    if (message.method === 'notifications/initialized') {
      server.handshake = 'initialized';
      server.toldBefore = this.#core.status.active === generation ? -1 : this.#listChanged;
      return;
    }
    const request = this.#requests.get(String(message.id));
    if (request === undefined) return;
    if (server.life === 'stopping') throw new Error('a request went to a server that is being stopped');
    if (server.handshake !== 'initialized') throw new Error(`${message.method} came before initialized`);
    this.#checkSentAgain(request, server);
    request.sentTo.push(generation);
    request.old = server.version < this.#saves;
    const since = this.#awaitedSince;
    const old = server.version < this.#saves;
    if (message.method !== 'ping' && old && since !== undefined && this.#now - since < HOLD_MS) {
      throw new Error(`${message.method} went to old code ${this.#now - since} ms after a save`);
    }
  }

  /** What a generation could not answer may go to one more, if it is harmless. */
  #checkSentAgain(request: SimulatedRequest, server: SimulatedServer): void {
    const [first, second] = request.sentTo;
    if (first === undefined) return;
    if (second !== undefined) throw new Error(`${request.method} was sent three times`);
    if (SAFE.has(request.method)) return;
    const before = this.#servers.get(first)?.version ?? 2;
    const harmless = request.tool === 'look' && isReadOnly(before) && isReadOnly(server.version);
    if (!harmless || request.exchanged) throw new Error(`${request.method} ${request.tool} was sent twice`);
  }
}
