import { isObject, type JsonObject } from '../../src/wire/message.ts';
import { FLAGS, type Message, SUBSCRIPTION_ID } from './simulation-server.ts';

interface Subscribed {
  readonly filter: JsonObject;
  /** `ended`: gracefully, by us, as the session was closed. */
  state: 'asked' | 'open' | 'cancelled' | 'refused' | 'ended';
}

/** What a client of 2026-07-28 knows of its subscriptions, and may expect of them. A violation throws. */
export class Subscriptions {
  readonly #all = new Map<string, Subscribed>();
  /** Those that were open before the event that is being handled, and what they were told since. */
  #told = new Map<string, Set<string>>();
  /** What each was told since the client last read anything. */
  readonly #lately = new Map<string, Set<string>>();
  #hasRead = false;
  /** What subscriptions have to be told yet. */
  readonly #owed = new Map<string, Set<string>>();

  ask(id: string, filter: JsonObject): void {
    this.#all.set(id, { filter, state: 'asked' });
  }

  cancel(id: string): void {
    const subscribed = this.#all.get(id);
    if (subscribed !== undefined) subscribed.state = 'cancelled';
  }

  /** The ids of those that the client asked for and that nobody ended. */
  get wanted(): string[] {
    return this.#idsOf('asked', 'open');
  }

  /** The ids of those that are open. */
  get granted(): string[] {
    return this.#idsOf('open');
  }

  /** The ids of those that nobody has said to be open. */
  get unanswered(): string[] {
    return this.#idsOf('asked');
  }

  has(id: string): boolean {
    return this.#all.has(id);
  }

  /** Something happens. */
  begin(): void {
    if (this.#hasRead) this.#lately.clear();
    this.#hasRead = false;
    this.#told = new Map(this.#idsOf('open').map((id) => [id, new Set()]));
  }

  /** The client got an answer: what it was told before that is no news after it. */
  read(): void {
    this.#hasRead = true;
  }

  /**
   * Another generation serves: each subscription that was open has to be told so, if it was not since this event
   * began. Where there was no handshake, since the client read anything of what was there before.
   */
  takeOver(afterHandshake: boolean): void {
    for (const [id, now] of this.#told) {
      const { filter } = this.#all.get(id) as Subscribed;
      const told = afterHandshake ? now : (this.#lately.get(id) ?? now);
      const due = filter.toolsListChanged === true ? ['notifications/tools/list_changed'] : [];
      due.push(...((filter.resourceSubscriptions ?? []) as string[]));
      this.#owed.set(id, new Set(due.filter((what) => !told.has(what))));
    }
  }

  /** By now everything must have been told. */
  checkTold(): void {
    for (const id of this.#idsOf('open')) {
      const [what] = this.#owed.get(id) ?? [];
      if (what !== undefined)
        throw new Error(`${id} was not told of ${what} when another generation took over`);
    }
  }

  /** The client gets a notification that may belong to a subscription. False if it is about none. */
  hear({ method, params }: Message): boolean {
    const tag = isObject(params?._meta) ? params._meta[SUBSCRIPTION_ID] : undefined;
    if (tag === undefined) return false;
    const subscribed = this.#all.get(String(tag));
    if (subscribed === undefined) throw new Error(`${method} is for ${tag}, which is no subscription`);
    const { state, filter } = subscribed;
    if (method === 'notifications/subscriptions/acknowledged') {
      if (state !== 'asked') throw new Error(`${tag} was acknowledged when it was ${state}`);
      subscribed.state = 'open';
      return true;
    }
    if (state !== 'open') throw new Error(`${method} came for ${tag}, which is ${state}`);
    const uris = (filter.resourceSubscriptions ?? []) as unknown[];
    const asked = [...FLAGS].filter(([flag]) => filter[flag] === true).map(([, name]) => name);
    const isAsked =
      method === 'notifications/resources/updated'
        ? uris.includes(params?.uri)
        : asked.includes(method ?? '');
    if (!isAsked) throw new Error(`${tag} never asked for ${method} ${params?.uri}`);
    const what = String(method === 'notifications/resources/updated' ? params?.uri : method);
    this.#told.get(String(tag))?.add(what);
    this.#lately.set(String(tag), (this.#lately.get(String(tag)) ?? new Set()).add(what));
    this.#owed.get(String(tag))?.delete(what);
    return true;
  }

  /** The client gets an answer to the request behind a subscription. */
  answer({ id, result, error }: Message, isClosing: boolean): void {
    const subscribed = this.#all.get(String(id)) as Subscribed;
    const { state } = subscribed;
    if (error !== undefined) {
      if (state !== 'asked') throw new Error(`${id} was refused when it was ${state}`);
      subscribed.state = 'refused';
      return;
    }
    if (!isClosing || state !== 'open') throw new Error(`${id}, which is ${state}, was ended`);
    const tag = isObject(result?._meta) ? result._meta[SUBSCRIPTION_ID] : undefined;
    if (tag !== id || result?.resultType !== 'complete') throw new Error(`${id} was not ended properly`);
    subscribed.state = 'ended';
  }

  #idsOf(...states: Subscribed['state'][]): string[] {
    return [...this.#all].filter(([, { state }]) => states.includes(state)).map(([id]) => id);
  }
}
