import type { Id } from '../wire/id.ts';
import type { ClientRequest } from './state.ts';

/** More requests than this are hardly ever open at a time, and clients count their ids upwards. */
const SLOT_BITS = 12;
const SLOTS = 2 ** SLOT_BITS;
/** Requests that want the same slot find room in one of so many. */
const NEAR = 8;
/** So many characters at the end of an id of text are looked at. */
const TELLING = 9;

/**
 * The requests that have no answer yet, by id, and in the order they came.
 *
 * A map whose content changes all the time copies itself into a new table every few thousand changes; the old tables
 * lie among the old objects, and until those are collected they keep alive what they held: with thousands of requests
 * a second, most of them, and the chunks of input that they are windows on. So here nothing is made for a request, and
 * nothing keeps it that was taken out.
 */
export class OpenRequests {
  /** A request lies in the slot of its id, or in one of those behind it … */
  readonly #slots: (ClientRequest | undefined)[] = new Array(SLOTS + NEAR).fill(undefined);
  /** … or here, if others lie in all of them. */
  readonly #displaced = new Map<Id, ClientRequest>();
  /** How many lie elsewhere than in the slot of their id: mostly none. */
  #strays = 0;
  #first: ClientRequest | undefined;
  #last: ClientRequest | undefined;

  get(id: Id): ClientRequest | undefined {
    const home = slotOf(id);
    const request = this.#slots[home];
    if (request !== undefined && request.id === id) return request;
    return this.#strays === 0 ? undefined : this.#stray(home, id);
  }

  /** Adds a request under its id, which no other one has. */
  add(request: ClientRequest): void {
    const home = slotOf(request.id);
    const slot = this.#near(home, undefined);
    if (slot === undefined) this.#displaced.set(request.id, request);
    else this.#slots[slot] = request;
    if (slot !== home) this.#strays++;
    request.earlier = this.#last;
    if (this.#last === undefined) this.#first = request;
    else this.#last.later = request;
    this.#last = request;
  }

  /** Takes a request out, if it is there. */
  delete(request: ClientRequest): void {
    const home = slotOf(request.id);
    const slot = this.#near(home, request);
    if (slot !== undefined) this.#slots[slot] = undefined;
    else if (this.#displaced.get(request.id) === request) this.#displaced.delete(request.id);
    else return;
    if (slot !== home) this.#strays--;
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

  #stray(home: number, id: Id): ClientRequest | undefined {
    for (let slot = home + 1; slot < home + NEAR; slot++) {
      const request = this.#slots[slot];
      if (request !== undefined && request.id === id) return request;
    }
    return this.#displaced.get(id);
  }

  /** The first of the slots from `home` on that has this in it. */
  #near(home: number, content: ClientRequest | undefined): number | undefined {
    for (let slot = home; slot < home + NEAR; slot++) if (this.#slots[slot] === content) return slot;
    return undefined;
  }
}

/** Ids of text differ most at their end. */
function slotOf(id: Id): number {
  if (typeof id === 'number') return id % SLOTS;
  let hash = 0;
  for (let at = Math.max(0, id.length - TELLING); at < id.length; at++) {
    hash = (Math.imul(hash, 31) + id.charCodeAt(at)) | 0;
  }
  // The upper bits of such a product depend on all of the lower ones (Knuth, multiplicative hashing).
  return Math.imul(hash, 0x9e3779b1) >>> (32 - SLOT_BITS);
}
