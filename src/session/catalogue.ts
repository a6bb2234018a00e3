import { isDeepStrictEqual } from 'node:util';
import type { JsonObject } from '../wire/message.ts';

/** The lists that a server has, each with the member of the result that holds the items. */
export const LISTS = {
  'tools/list': { member: 'tools', capability: 'tools', key: 'name', noun: 'tool' },
  'prompts/list': { member: 'prompts', capability: 'prompts', key: 'name', noun: 'prompt' },
  'resources/list': { member: 'resources', capability: 'resources', key: 'uri', noun: 'resource' },
  'resources/templates/list': {
    member: 'resourceTemplates',
    capability: 'resources',
    key: 'uriTemplate',
    noun: 'template',
  },
} as const;

export type ListMethod = keyof typeof LISTS;

export const LIST_METHODS = Object.keys(LISTS) as ListMethod[];

/** What a generation has to offer; a list that was not read yet is absent. */
export type Catalogue = Map<ListMethod, readonly JsonObject[]>;

/** One named difference between the lists of two generations. */
export interface Difference {
  readonly change: 'added' | 'removed' | 'changed';
  readonly noun: (typeof LISTS)[ListMethod]['noun'];
  readonly name: string;
  /** For `changed`: the members that differ, for example `inputSchema`. */
  readonly members: readonly string[];
}

/** The differences between two lists of the same kind, in the order of the lists. */
function compareLists(
  method: ListMethod,
  before: readonly JsonObject[],
  after: readonly JsonObject[],
): Difference[] {
  const { key, noun } = LISTS[method];
  const old = new Map(before.map((item) => [nameOf(item[key]), item]));
  const differences: Difference[] = [];
  for (const item of after) {
    const name = nameOf(item[key]);
    const previous = old.get(name);
    old.delete(name);
    if (previous === undefined) differences.push({ change: 'added', noun, name, members: [] });
    else {
      const members = differingMembers(previous, item);
      if (members.length > 0) differences.push({ change: 'changed', noun, name, members });
    }
  }
  for (const name of old.keys()) differences.push({ change: 'removed', noun, name, members: [] });
  return differences;
}

/** Compares what two generations offer, as far as both lists are known. */
export function compareCatalogues(before: Catalogue, after: Catalogue): Difference[] {
  return LIST_METHODS.flatMap((method) => {
    const old = before.get(method);
    const current = after.get(method);
    return old === undefined || current === undefined ? [] : compareLists(method, old, current);
  });
}

/** True unless both lists are known and equal: then a client has nothing to read again. */
export function mayDiffer(method: ListMethod, before: Catalogue, after: Catalogue): boolean {
  const old = before.get(method);
  const current = after.get(method);
  return old === undefined || current === undefined || !isDeepStrictEqual(old, current);
}

/** What is no text is no name, whatever it is. */
function nameOf(value: unknown): string {
  return typeof value === 'string' ? value : '(no name)';
}

function differingMembers(before: JsonObject, after: JsonObject): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => !isDeepStrictEqual(before[name], after[name]));
}
