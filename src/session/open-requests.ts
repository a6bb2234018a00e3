import type { Id } from '../wire/id.ts';
import type { ClientRequest } from './state.ts';

/** More requests than this are hardly ever open at a time, and clients count their ids upwards. */
const SLOTS = 4096;

/**
 * The requests that have no answer yet, by id, and in the order they came.
 *
 * A map whose content changes all the time copies itself into a new table every few thousand changes; the old tables
 * lie among the old objects, and until those are collected they keep alive what they held: with thousands of requests
 * a second, most of them, and the chunks of input that they are windows on. So here nothing is made for a request, and
 * nothing keeps it that was taken out.
 */
export class OpenRequests {
  /** A request lies in the slot of its id … */
  readonly #slots: (ClientRequest | undefined)[] = new Array(SLOTS).fill(undefined);
  /** … or here, if another one lies there. */
  readonly #displaced = new Map<Id, ClientRequest>();
  #first: ClientRequest | undefined;
  #last: ClientRequest | undefined;

  get(id: Id): ClientRequest | undefined {
    const request = this.#slots[slotOf(id)];
    if (request !== undefined && request.id === id) return request;
    return this.#displaced.size === 0 ? undefined : this.#displaced.get(id);
  }

  /** Adds a request under its id, which no other one has. */
  add(request: ClientRequest): void {
    const slot = slotOf(request.id);
    if (this.#slots[slot] === undefined) this.#slots[slot] = request;
    else this.#displaced.set(request.id, request);
    request.earlier = this.#last;
    if (this.#last === undefined) this.#first = request;
    else this.#last.later = request;
    this.#last = request;
  }

  /** Takes a request out, if it is there. */
  delete(request: ClientRequest): void {
    const slot = slotOf(request.id);
    if (this.#slots[slot] === request) this.#slots[slot] = undefined;
    else if (this.#displaced.get(request.id) === request) this.#displaced.delete(request.id);
    else return;
    const { earlier, later } = request;
    if (earlier === undefined) this.#first = later;
    else earlier.later = later;
    if (later === undefined) this.#last = earlier;
    else later.earlier = earlier;
    request.earlier = undefined;
    request.later = undefined;
  }

  /** All of them, in the order they came. */
  all(): ClientRequest[] {
    const all: ClientRequest[] = [];
    for (let next = this.#first; next !== undefined; next = next.later) all.push(next);
    return all;
  }
}

/** Ids of text differ most at their end, which is a quote. */
function slotOf(id: Id): number {
  if (typeof id === 'number') return id % SLOTS;
  let hash = 0;
  for (let at = Math.max(0, id.length - 5); at < id.length - 1; at++) hash = hash * 31 + id.charCodeAt(at);
  return hash % SLOTS;
}
