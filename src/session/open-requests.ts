import type { Id } from '../wire/id.ts';
import type { ClientRequest } from './state.ts';

/**
 * The requests that have no answer yet, by id, in the order they came.
 *
 * They lie in places that are used again, and the map holds the numbers of the places only. A map whose content
 * changes all the time copies itself into a new table every few thousand changes; the old tables lie among the old
 * objects, and until those are collected they keep alive what they held: with thousands of requests a second, most
 * of them, and the chunks of input that they are windows on.
 */
export class OpenRequests {
  readonly #places = new Map<Id, number>();
  readonly #requests: (ClientRequest | undefined)[] = [];
  /** Places that are free again. */
  readonly #free: number[] = [];

  has(id: Id): boolean {
    return this.#places.has(id);
  }

  get(id: Id): ClientRequest | undefined {
    const place = this.#places.get(id);
    return place === undefined ? undefined : this.#requests[place];
  }

  /** Adds a request under its id, which no other one has. */
  add(request: ClientRequest): void {
    request.place = this.#free.pop() ?? this.#requests.length;
    this.#requests[request.place] = request;
    this.#places.set(request.id, request.place);
  }

  /** Takes a request out, if it is there. */
  delete(request: ClientRequest): void {
    if (this.#requests[request.place] !== request) return;
    this.#requests[request.place] = undefined;
    this.#free.push(request.place);
    this.#places.delete(request.id);
  }

  *values(): Generator<ClientRequest> {
    for (const place of this.#places.values()) yield this.#requests[place] as ClientRequest;
  }
}
