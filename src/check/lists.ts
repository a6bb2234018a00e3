import { LISTS, type ListMethod } from '../session/catalogue.ts';
import { ErrorCode, isObject, type JsonObject } from '../wire/message.ts';
import type { LineTransport } from './line-transport.ts';
import { type Bounds, explain, type OfficialClient } from './official-client.ts';

/** A list over all its pages. */
export type ReadList =
  | {
      readonly kind: 'read';
      /** As they were on the wire. */
      readonly items: readonly JsonObject[];
      readonly pages: number;
      /** What the official client does not like about them. */
      readonly complaint: string | undefined;
    }
  /** The server has no such method. */
  | { readonly kind: 'no-method' }
  /** `why` is a sentence without a full stop. */
  | { readonly kind: 'failed'; readonly why: string };

/** What has more pages has no end. */
const MOST_PAGES = 1000;

/** Reads a list with the official client, page by page. */
export async function readList(
  client: OfficialClient,
  transport: LineTransport,
  method: ListMethod,
  bounds: Bounds,
): Promise<ReadList> {
  const { member } = LISTS[method];
  const items: JsonObject[] = [];
  const seen = new Set<string>();
  let complaint: string | undefined;
  let cursor: string | undefined;
  for (let page = 1; page <= MOST_PAGES; page++) {
    const refusal = await client.list(method, cursor, bounds).then(() => undefined, explain);
    const { response } = transport.last(method) ?? {};
    const where = page === 1 ? method : `page ${page} of ${method}`;
    if (response === undefined)
      return { kind: 'failed', why: `${where} was not answered (${refusal}): answer it` };
    if (isObject(response.error)) {
      const { code, message } = response.error;
      if (code === ErrorCode.methodNotFound && page === 1) return { kind: 'no-method' };
      return {
        kind: 'failed',
        why: `${where} was answered with the error ${code} (${message}): correct what answers it`,
      };
    }
    const result = isObject(response.result) ? response.result : {};
    const found = result[member];
    if (!Array.isArray(found)) {
      return {
        kind: 'failed',
        why: `the answer to ${where} has no array "${member}" (${refusal}): put the items there`,
      };
    }
    items.push(...found.filter(isObject));
    complaint ??= refusal;
    const { nextCursor } = result;
    if (typeof nextCursor !== 'string') return { kind: 'read', items, pages: page, complaint };
    if (seen.has(nextCursor)) {
      const why = `${where} has the cursor ${JSON.stringify(nextCursor)}, which an earlier page had already, so that the list has no end: leave out nextCursor on the last page`;
      return { kind: 'failed', why };
    }
    seen.add(nextCursor);
    cursor = nextCursor;
  }
  return {
    kind: 'failed',
    why: `${method} has more than ${MOST_PAGES} pages: leave out nextCursor on the last page`,
  };
}

/** The names that more than one item has, in the order of the list. That some have none is for the clients to say. */
export function duplicates(method: ListMethod, items: readonly JsonObject[]): readonly string[] {
  const { key } = LISTS[method];
  const names = items.map((item) => item[key]).filter((name) => typeof name === 'string');
  return [...new Set(names.filter((name, at) => names.indexOf(name) !== at))];
}
