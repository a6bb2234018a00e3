import { isObject } from '../wire/message.ts';

/** Where two values differ first; an absent side has `value: undefined` inside of no wrapper. */
export interface ValueDifference {
  /** Keys, indexes, and for items of a list of tools and the like their names. */
  readonly path: readonly string[];
  readonly expected: Side;
  readonly got: Side;
}

/** What one side has at a place. */
export type Side = { readonly kind: 'value'; readonly value: unknown } | { readonly kind: 'nothing' };

export interface CompareRules {
  /** Two times are equal: ISO 8601, also in longer texts, and numbers that can be times since the epoch. */
  readonly ignoreTimes: boolean;
  /** Whether what lies at a path may differ. */
  readonly isIgnored: (path: readonly string[]) => boolean;
  /** Is told of values that only mean something to the one who made them, such as cursors, where both sides have one. */
  readonly onOpaque: (expected: string, got: string) => void;
}

/** Members that tell of the one exchange and nothing of the answer. */
const VOLATILE = new Set(['_meta', 'progressToken']);
/** Members whose values a server is free to choose. */
const OPAQUE = new Set(['nextCursor', 'taskId', 'requestState']);
/** Lists whose order means nothing, and what their items are known by. */
const NAMED: Readonly<Record<string, string>> = {
  tools: 'name',
  prompts: 'name',
  resources: 'uri',
  resourceTemplates: 'uriTemplate',
};

const ISO_TIME = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?/g;
/** From 2001 to 2100, in seconds and in milliseconds. */
const EPOCH_SECONDS = [1e9, 4.1e9] as const;
const EPOCH_MS = [1e12, 4.1e12] as const;

const NOTHING: Side = { kind: 'nothing' };

/** The first difference of two JSON values, structurally: the order of members means nothing. */
export function firstDifference(
  expected: unknown,
  got: unknown,
  rules: CompareRules,
): ValueDifference | undefined {
  return compare(expected, got, [], rules);
}

function compare(
  expected: unknown,
  got: unknown,
  path: readonly string[],
  rules: CompareRules,
): ValueDifference | undefined {
  if (rules.isIgnored(path)) return undefined;
  if (Array.isArray(expected) && Array.isArray(got)) {
    const key = path.length === 2 && path[0] === 'result' ? NAMED[path[1] as string] : undefined;
    const [left, right] = [byName(expected, key), byName(got, key)];
    return left === undefined || right === undefined
      ? members(entriesOf(expected), entriesOf(got), path, rules)
      : members(left, right, path, rules);
  }
  if (isObject(expected) && isObject(got)) {
    return members(new Map(Object.entries(expected)), new Map(Object.entries(got)), path, rules);
  }
  if (isSame(expected, got, path, rules)) return undefined;
  return { path, expected: side(expected), got: side(got) };
}

function members(
  expected: ReadonlyMap<string, unknown>,
  got: ReadonlyMap<string, unknown>,
  path: readonly string[],
  rules: CompareRules,
): ValueDifference | undefined {
  for (const key of new Set([...expected.keys(), ...got.keys()])) {
    if (VOLATILE.has(key)) continue;
    const here = [...path, key];
    const difference =
      expected.has(key) && got.has(key)
        ? compare(expected.get(key), got.get(key), here, rules)
        : rules.isIgnored(here)
          ? undefined
          : {
              path: here,
              expected: expected.has(key) ? side(expected.get(key)) : NOTHING,
              got: got.has(key) ? side(got.get(key)) : NOTHING,
            };
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function isSame(expected: unknown, got: unknown, path: readonly string[], rules: CompareRules): boolean {
  if (expected === got) return true;
  if (typeof expected === 'string' && typeof got === 'string') {
    if (OPAQUE.has(path.at(-1) ?? '')) {
      rules.onOpaque(expected, got);
      return true;
    }
    return rules.ignoreTimes && expected.replace(ISO_TIME, '') === got.replace(ISO_TIME, '');
  }
  if (typeof expected === 'number' && typeof got === 'number') {
    return (
      rules.ignoreTimes &&
      [EPOCH_SECONDS, EPOCH_MS].some((range) => isIn(expected, range) && isIn(got, range))
    );
  }
  return false;
}

function isIn(value: number, [least, most]: readonly [number, number]): boolean {
  return value >= least && value <= most;
}

/** The items by their names; undefined where these do not tell them apart. */
function byName(
  items: readonly unknown[],
  key: string | undefined,
): ReadonlyMap<string, unknown> | undefined {
  if (key === undefined) return undefined;
  const named = new Map(items.map((item) => [isObject(item) ? String(item[key]) : '', item]));
  return named.size === items.length ? named : undefined;
}

function entriesOf(items: readonly unknown[]): ReadonlyMap<string, unknown> {
  return new Map(items.map((item, index) => [String(index), item]));
}

function side(value: unknown): Side {
  return { kind: 'value', value };
}

/**
 * Reads paths such as `result.serverInfo.version`, `result.tools.*.description` and `**.size`: `*` is any one step, `**`
 * any number of them. An index may also be written in brackets.
 */
export function pathMatcher(patterns: readonly string[]): (path: readonly string[]) => boolean {
  const wanted = patterns.map((pattern) => pattern.replace(/\[([^\]]*)\]/g, '.$1').split('.'));
  return (path) => wanted.some((steps) => matches(steps, path));
}

function matches(steps: readonly string[], path: readonly string[]): boolean {
  const [step, ...more] = steps;
  if (step === undefined) return path.length === 0;
  if (step === '**') return path.some((_, index) => matches(more, path.slice(index))) || more.length === 0;
  return path.length > 0 && (step === '*' || step === path[0]) && matches(more, path.slice(1));
}
