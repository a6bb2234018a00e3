import type { SessionAction, SessionEvent } from '../../src/session/events.ts';
import { Session } from '../../src/session/session.ts';
import type { SessionSettings } from '../../src/session/state.ts';
import { Line } from '../../src/wire/line.ts';
import { enveloped } from '../kit/messages.ts';

export interface Message {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: any;
  readonly result?: any;
  readonly error?: any;
}

export const INITIALIZE = {
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-06-18',
    capabilities: { roots: {} },
    clientInfo: { name: 'test', version: '1' },
  },
};

/** Those of a session that a test drives, as users have them who say nothing. */
export const SETTINGS: SessionSettings = {
  name: 'driven',
  hold: 20_000,
  drain: 60_000,
  exclusiveDrain: 10_000,
  replay: 'safe',
  stale: 'notice',
  answerAfter: 8000,
  transparent: false,
  tools: [],
};

/** Drives a session with messages and keeps what it does. */
export class Driver {
  readonly #session: Session;
  readonly toClient: Message[] = [];
  readonly toServer: { generation: number; message: Message }[] = [];
  readonly actions: SessionAction[] = [];
  /** The last lines as they were written. */
  lastText = '';

  constructor(settings: Partial<SessionSettings> = {}) {
    this.#session = new Session({ ...SETTINGS, ...settings }, (action) => this.actions.push(action));
  }

  event(event: SessionEvent): SessionAction[] {
    const before = this.actions.length;
    this.#session.handle(event);
    const actions = this.actions.slice(before);
    for (const action of actions) {
      if (action.do === 'to-client') {
        this.lastText = action.line.text();
        this.toClient.push(JSON.parse(this.lastText));
      } else if (action.do === 'to-server') {
        const message = JSON.parse(action.line.text());
        this.toServer.push({ generation: action.generation, message });
      }
    }
    return actions;
  }

  client(message: Message | string): SessionAction[] {
    return this.event({ type: 'client', line: lineOf(message) });
  }

  server(generation: number, message: Message | string): SessionAction[] {
    return this.event({ type: 'server', generation, line: lineOf(message) });
  }

  start(generation: number, newest = true): void {
    this.event({ type: 'started', generation, newest });
  }

  gone(generation: number): void {
    const failure = {
      reason: 'server_crashed',
      summary: 'it crashed',
      text: 'last words',
      generation,
    } as const;
    this.event({ type: 'gone', generation, failure });
  }

  broken(): void {
    const failure = {
      reason: 'build_failed',
      summary: 'no build',
      text: 'TS1005',
      generation: undefined,
    } as const;
    this.event({ type: 'broken', failure });
  }

  /** The era is known. */
  get isSettled(): boolean {
    return this.#session.isSettled;
  }

  /** How many bytes of requests wait. */
  get heldBytes(): number {
    return this.#session.heldBytes;
  }

  /** The last message of a method that a generation got. */
  last(generation: number, method: string): Message {
    const found = this.toServer.findLast(
      (sent) => sent.generation === generation && sent.message.method === method,
    );
    if (found === undefined) throw new Error(`generation ${generation} never got ${method}`);
    return found.message;
  }

  /** What a generation got, by method; answers are `answer`. */
  received(generation: number): string[] {
    return this.toServer
      .filter((sent) => sent.generation === generation)
      .map(({ message }) => message.method ?? 'answer');
  }

  /** What the client got since the last call, by method; answers by their id. */
  news(): (string | number | undefined)[] {
    return this.toClient.splice(0).map(({ id, method }) => method ?? id);
  }

  /** Answers the newest unanswered question of ours with that method. */
  answer(generation: number, method: string, result: object): SessionAction[] {
    return this.server(generation, {
      id: this.last(generation, method).id!,
      result,
    });
  }

  /** A session with a client that is initialized and generation 1 active. */
  static open(
    capabilities: object = { tools: {} },
    tools: object[] = [{ name: 'echo' }],
    settings: Partial<SessionSettings> = {},
  ): Driver {
    const driver = new Driver(settings);
    driver.start(1);
    driver.client(INITIALIZE);
    driver.answer(1, 'initialize', handshake(capabilities));
    driver.client({ method: 'notifications/initialized' });
    if ('tools' in capabilities) driver.answer(1, 'tools/list', { tools });
    driver.news();
    return driver;
  }

  /** Brings a generation up to the hand-over. */
  replace(generation: number, tools: object[] = [{ name: 'echo' }]): void {
    this.start(generation);
    this.answer(generation, 'initialize', handshake({ tools: {} }));
    this.answer(generation, 'tools/list', { tools });
  }
}

export function handshake(capabilities: object, protocolVersion = '2025-06-18'): object {
  return {
    protocolVersion,
    capabilities,
    serverInfo: { name: 'simulated', version: '1' },
  };
}

function lineOf(message: Message | string): Line {
  return typeof message === 'string' ? Line.of(message) : Line.json({ jsonrpc: '2.0', ...message });
}

/** What a server of 2026-07-28 answers to `server/discover`. */
export function discovery(capabilities: object = { tools: {} }, supportedVersions = ['2026-07-28']): object {
  return {
    supportedVersions,
    capabilities,
    resultType: 'complete',
    ttlMs: 3_600_000,
    cacheScope: 'public',
  };
}

/** A complete result of 2026-07-28. */
export function complete(result: object): object {
  return { resultType: 'complete', ...result };
}

/** A session of 2026-07-28 with generation 1 active. */
export function openModern(
  capabilities: object = { tools: {} },
  tools: object[] = [{ name: 'echo' }],
  settings: Partial<SessionSettings> = {},
): Driver {
  const driver = new Driver(settings);
  driver.event({ type: 'awaited', change: false });
  driver.start(1);
  driver.client({ id: 1, method: 'tools/list', params: enveloped() });
  driver.server(1, { id: 1, result: complete({ tools }) });
  driver.answer(1, 'server/discover', discovery(capabilities));
  readAll(driver, 1, tools);
  driver.event({ type: 'settled' });
  driver.news();
  return driver;
}

/** Brings a generation up to the hand-over of a session of 2026-07-28. */
export function replaceModern(
  driver: Driver,
  generation: number,
  capabilities: object = { tools: {} },
  tools: object[] = [{ name: 'echo' }],
): void {
  driver.start(generation);
  driver.answer(generation, 'server/discover', discovery(capabilities));
  readAll(driver, generation, tools);
}

/** Answers our requests for lists. */
export function readAll(driver: Driver, generation: number, tools: object[]): void {
  const items = { tools, prompts: [], resources: [], resourceTemplates: [] };
  for (const [method, member] of [
    ['prompts/list', 'prompts'],
    ['resources/list', 'resources'],
    ['resources/templates/list', 'resourceTemplates'],
    ['tools/list', 'tools'],
  ] as const) {
    const asked = driver.toServer.findLast(
      (sent) =>
        sent.generation === generation &&
        sent.message.method === method &&
        String(sent.message.id).startsWith('mcp-dev:'),
    );
    if (asked !== undefined)
      driver.server(generation, {
        id: asked.message.id!,
        result: complete({ [member]: items[member] }),
      });
  }
}
