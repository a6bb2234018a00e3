import * as z from 'zod/mini';
import { closest } from '../text/suggest.ts';
import type { Path } from './document.ts';
import { longFlag, type Option, type OptionTable } from './option.ts';
import { expectation, listed, maxMilliseconds, signalNames } from './values.ts';
import { DEFAULT_VARIANT, type Variants } from './variants.ts';

/** The keys that name the server itself; on the command line these are operands, not flags. */
export interface LaunchKeys {
  readonly command?: readonly string[];
  readonly entry?: string;
  readonly args?: readonly string[];
  readonly variants?: Variants;
}

/** A checked configuration, or the first thing that is wrong with it: `"debounce" must be …`. */
export type Checked =
  | { readonly kind: 'valid'; readonly values: ReadonlyMap<string, unknown>; readonly launch: LaunchKeys }
  | { readonly kind: 'invalid'; readonly path: Path; readonly problem: string };

const text = z.string().check(z.minLength(1));

const launchExpectations = {
  $schema: 'a string',
  command:
    'a list of strings, the program and its arguments each on its own, as in ["node", "dist/server.js"]',
  entry: 'a string, the file of the server',
  args: 'a list of strings',
  variants: 'an object of variants by name, as in { "debug": { "env": { "DEBUG": "1" } } }',
};

/**
 * Checks what a configuration file holds against the table of options. This module is loaded only when there is
 * such a file, and with it zod.
 */
export function checkConfiguration(table: OptionTable, value: unknown): Checked {
  const schema = schemaOf(table);
  const result = schema.safeParse(value);
  const issue = result.error?.issues[0];
  if (issue?.code === 'unrecognized_keys') {
    const key = issue.keys[0]!;
    const place = steps(issue.path);
    if (place.length > 0)
      return { kind: 'invalid', path: [...place, key], problem: unknownInVariant(place, key) };
    return { kind: 'invalid', path: [key], problem: unknownKey(key, Object.keys(schema.shape), table) };
  }
  if (issue !== undefined) {
    const path = steps(issue.path);
    return { kind: 'invalid', path, problem: wrongValue(table, path, value) };
  }
  const {
    $schema: _,
    command,
    entry,
    args,
    variants,
    ...given
  } = result.data as LaunchKeys & Record<string, unknown>;
  const values = Object.entries(given).map(([key, one]) => [key, normalised(table[key]!, one)] as const);
  return {
    kind: 'valid',
    values: new Map(values.filter(([, one]) => one !== undefined)),
    launch: {
      ...(command && { command }),
      ...(entry && { entry }),
      ...(args && { args }),
      ...(variants && { variants }),
    },
  };
}

const variantSchema = z.strictObject({
  command: z.optional(text),
  args: z.optional(z.array(z.string())),
  env: z.optional(z.record(z.string(), z.string())),
});

function isVariantName(name: string): boolean {
  return name !== '' && name !== DEFAULT_VARIANT;
}

function schemaOf(table: OptionTable) {
  const options = Object.entries(table).filter(([, option]) => option.flagOnly !== true);
  return z.strictObject({
    $schema: z.optional(z.string()),
    command: z.optional(z.array(z.string()).check(z.minLength(1))),
    entry: z.optional(text),
    args: z.optional(z.array(z.string())),
    variants: z.optional(z.record(z.string().check(z.refine(isVariantName)), variantSchema)),
    ...Object.fromEntries(options.map(([key, option]) => [key, z.optional(valueSchema(option))])),
  });
}

function valueSchema(option: Option) {
  switch (option.kind) {
    case 'switch':
      return z.boolean();
    case 'milliseconds':
      return z.int().check(z.minimum(0), z.maximum(maxMilliseconds));
    case 'count':
      return z.int().check(z.minimum(0));
    case 'choice':
      return z.enum(option.choices);
    case 'signal':
      return z.enum(signalNames);
    case 'text':
      return option.mayBeEmpty === true ? z.string() : text;
    case 'list': {
      const list = z.union([text, z.array(text)]);
      return option.negative === undefined ? list : z.union([list, z.literal(false)]);
    }
  }
}

/** The value as the rest of the program wants it: lists are lists, and `false` is an empty one. */
function normalised(option: Option, value: unknown): unknown {
  if (option.kind !== 'list' || value === undefined) return value;
  if (value === false) return [];
  return listed(option, typeof value === 'string' ? [value] : (value as readonly string[]));
}

function steps(path: readonly PropertyKey[]): Path {
  return path.map((step) => (typeof step === 'symbol' ? String(step) : step));
}

function unknownInVariant(place: Path, key: string): string {
  const keys = Object.keys(variantSchema.shape);
  const meant = closest(key, keys);
  const advice =
    meant === undefined
      ? `; its keys are ${keys.map((one) => `"${one}"`).join(', ')}`
      : `, did you mean "${meant}"?`;
  return `unknown key "${key}" in ${place.map((step) => `"${step}"`).join('.')}${advice}`;
}

function unknownKey(key: string, keys: readonly string[], table: OptionTable): string {
  const negated = Object.keys(table).find((name) => `--no-${longFlag(name).slice(2)}` === longFlag(key));
  if (negated !== undefined) return `unknown key "${key}", write "${negated}": false`;
  const meant = closest(key, keys);
  return meant === undefined
    ? `unknown key "${key}"; the keys are the flags of mcp-dev --help in camelCase, and "command", "args", "entry", "variants"`
    : `unknown key "${key}", did you mean "${meant}"?`;
}

function wrongValue(table: OptionTable, path: Path, whole: unknown): string {
  const got = path.reduce<unknown>((inner, step) => (inner as Record<string | number, unknown>)[step], whole);
  const shown = JSON.stringify(got) ?? typeof got;
  const [key, ...inner] = path;
  if (key === undefined) return `the configuration must be an object with keys (got ${shortened(shown)})`;
  if (key === 'variants' && inner.length > 0) return wrongVariant(inner, shortened(shown));
  const expected = isLaunchKey(key) ? launchExpectations[key] : expectation(table[key]!, got);
  return `"${key}" must be ${expected} (got ${shortened(shown)})`;
}

function wrongVariant([name, key]: Path, got: string): string {
  if (!isVariantName(String(name))) {
    return `"variants" cannot have ${JSON.stringify(name)}: "${DEFAULT_VARIANT}" stands for the server as configured`;
  }
  const place = [name, ...(key === undefined ? [] : [key])]
    .map((step) => `.${JSON.stringify(step)}`)
    .join('');
  const expected =
    key === undefined
      ? 'an object with "command", "args" or "env"'
      : { command: 'a string that is not empty', args: 'a list of strings', env: 'an object of strings' }[
          key
        ];
  return `"variants"${place} must be ${expected} (got ${got})`;
}

function isLaunchKey(key: string | number): key is keyof typeof launchExpectations {
  return Object.hasOwn(launchExpectations, key);
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
