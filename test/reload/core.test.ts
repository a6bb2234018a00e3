import { describe, expect, test } from 'vitest';
import { Core, type CoreEvent, type Effect } from '../../src/reload/core.ts';
import type { Timer } from '../../src/session/events.ts';
import { Line } from '../../src/wire/line.ts';
import { enveloped } from '../kit/messages.ts';
import { complete, discovery, handshake, INITIALIZE, type Message, SETTINGS } from '../session/driver.ts';

/** A core whose builds work at once, with a clock that stands still. */
class CoreDriver {
  readonly #core: Core;
  readonly #effects: Effect[] = [];
  readonly #sent: { generation: number; message: Message }[] = [];
  readonly #stopped: number[] = [];

  constructor() {
    const reload = { exclusive: 'off', hold: 20_000, readyTimeout: 30_000, lastWords: () => '' } as const;
    this.#core = new Core(
      SETTINGS,
      reload,
      (effect) => this.#effects.push(effect),
      () => 1_000_000,
    );
    this.#tell({ type: 'begin' });
  }

  get active(): number | undefined {
    return this.#core.status.active;
  }

  /** The generations that were told to end, in that order. */
  get stopped(): readonly number[] {
    return this.#stopped;
  }

  /** The methods of what a generation got. */
  received(generation: number): unknown[] {
    return this.#sent.filter((sent) => sent.generation === generation).map(({ message }) => message.method);
  }

  save(): void {
    this.#tell({ type: 'change-seen' });
    this.#tell({ type: 'batch', changes: [{ path: '/src/a.ts', kind: 'changed', at: 0 }] });
  }

  crash(generation: number): void {
    const exit = { kind: 'exited', code: 1, signal: null } as const;
    this.#tell({ type: 'exited', generation, exit, text: '', livedMs: 100 });
  }

  expire(timer: Timer): void {
    this.#tell({ type: 'session-timer', timer });
  }

  client(message: Message): void {
    this.#tell({ type: 'client', line: Line.json({ jsonrpc: '2.0', ...message }) });
  }

  server(generation: number, message: Message): void {
    this.#tell({ type: 'server', generation, line: Line.json({ jsonrpc: '2.0', ...message }) });
  }

  /** A generation answers the last message of a method that it got. */
  answer(generation: number, method: string, result: object): void {
    const asked = this.#sent.findLast(
      (sent) => sent.generation === generation && sent.message.method === method,
    );
    if (asked === undefined) throw new Error(`generation ${generation} never got ${method}`);
    this.server(generation, { id: asked.message.id!, result });
  }

  #tell(event: CoreEvent): void {
    this.#core.handle(event);
    for (const effect of this.#effects.splice(0)) {
      if (effect.do === 'to-server') {
        const message = effect.line.parse() as Message;
        this.#sent.push({ generation: effect.generation, message });
      } else if (effect.do === 'stop') this.#stopped.push(effect.generation);
      else if (effect.do === 'build') this.#tell({ type: 'built' });
    }
  }
}

/** A session in which generation 2 replaced generation 1, and nobody knows the era. */
function replacedInSilence(): CoreDriver {
  const driver = new CoreDriver();
  driver.client({ id: 1, method: 'server/discover', params: enveloped() });
  driver.answer(1, 'server/discover', discovery());
  driver.save();
  expect(driver.active).toBe(2);
  return driver;
}

test('the newest save is there for a first request, however many there were before it', () => {
  const driver = new CoreDriver();
  for (let saves = 0; saves < 10; saves++) driver.save();
  driver.client({ id: 1, method: 'tools/list', params: enveloped() });
  expect(driver.received(11)).toEqual(['tools/list']);
});

describe('a generation that serves when the handshake comes, and is too slow for it', () => {
  /** The client was answered by us, said that it is ready, and asks something. */
  const answeredAlone = (): CoreDriver => {
    const driver = new CoreDriver();
    driver.client({ id: 1, method: 'server/discover', params: enveloped() });
    driver.answer(1, 'server/discover', discovery());
    driver.client({ ...INITIALIZE, id: 2 });
    driver.expire({ kind: 'answer' });
    driver.client({ method: 'notifications/initialized' });
    driver.client({ id: 3, method: 'tools/list', params: {} });
    return driver;
  };

  test('is given nothing until it has answered', () => {
    const driver = answeredAlone();
    expect(driver.received(1)).toEqual(['server/discover', 'initialize']);
    driver.answer(1, 'initialize', handshake({}));
    expect(driver.received(1).slice(2)).toEqual(['notifications/initialized', 'tools/list']);
  });

  test('is replaced when its answer does not fit what the client was told', () => {
    const driver = answeredAlone();
    driver.answer(1, 'initialize', handshake({}, '2024-11-05'));
    expect(driver.stopped).toEqual([1]);
    expect(driver.active).toBeUndefined();
  });
});

describe('a generation that crashes a moment after it took over', () => {
  test('gives way to the one before it, also as long as the era is not known', () => {
    const driver = replacedInSilence();
    driver.crash(2);
    expect(driver.active).toBe(1);
  });

  test('gives way to one that gets the subscriptions which were opened since', () => {
    const driver = replacedInSilence();
    driver.client({ id: 2, method: 'subscriptions/listen', params: enveloped({ notifications: {} }) });
    driver.crash(2);
    expect(driver.received(1)).toEqual(['server/discover', 'subscriptions/listen']);
  });

  test('gives way to one that gets the handshake that was not answered', () => {
    const driver = replacedInSilence();
    driver.client({ ...INITIALIZE, id: 2 });
    driver.crash(2);
    driver.answer(1, 'initialize', handshake({ tools: {} }));
    driver.client({ method: 'notifications/initialized' });
    expect(driver.received(1)).toEqual([
      'server/discover',
      'initialize',
      'notifications/initialized',
      'tools/list',
    ]);
  });

  test.each([
    [
      'modern',
      (driver: CoreDriver) => {
        driver.client({ id: 2, method: 'tools/list', params: enveloped() });
        driver.answer(2, 'tools/list', complete({ tools: [] }));
      },
    ],
    [
      'legacy',
      (driver: CoreDriver) => {
        driver.client({ ...INITIALIZE, id: 2 });
        driver.answer(2, 'initialize', handshake({ tools: {} }));
      },
    ],
  ])('does not give way to one that nobody asked whether it speaks the %s era', (_, settle) => {
    const driver = replacedInSilence();
    settle(driver);
    expect(driver.stopped).toEqual([1]);
    driver.crash(2);
    expect(driver.active).toBeUndefined();
  });

  test('gives way to one that knows by then that the client is ready', () => {
    const driver = new CoreDriver();
    driver.client(INITIALIZE);
    driver.answer(1, 'initialize', handshake({ tools: {} }));
    driver.save();
    driver.answer(2, 'initialize', handshake({ tools: {} }));
    driver.client({ method: 'notifications/initialized' });
    driver.crash(2);
    expect(driver.active).toBe(1);
    expect(driver.received(1)).toEqual(['initialize', 'notifications/initialized']);
  });

  test('does not give way to one that has not shown that it speaks the era, though the era was known then', () => {
    const driver = new CoreDriver();
    driver.client({ id: 1, method: 'tools/call', params: enveloped({ name: 'x' }) });
    driver.save();
    // The one before tells the era when it is replaced already.
    driver.server(1, { id: 1, result: complete({ content: [] }) });
    driver.save();
    driver.answer(3, 'server/discover', discovery());
    driver.answer(3, 'tools/list', complete({ tools: [] }));
    expect(driver.active).toBe(3);
    expect(driver.stopped).toEqual([2]);
    driver.crash(3);
    expect(driver.active).toBeUndefined();
  });

  test('does not give way to one that never ended the handshake', () => {
    const driver = new CoreDriver();
    driver.client({ id: 1, method: 'server/discover', params: enveloped() });
    driver.answer(1, 'server/discover', discovery());
    driver.client({ ...INITIALIZE, id: 2 });
    driver.save();
    driver.answer(2, 'initialize', handshake({ tools: {} }));
    expect(driver.active).toBe(2);
    expect(driver.stopped).toEqual([1]);
    driver.crash(2);
    expect(driver.active).toBeUndefined();
  });
});
