/** What a row of the table of options is, and how it is written. */

/** The headings of the help, in their order. */
export const groups = {
  check: 'What is checked',
  watch: 'What is watched',
  reload: 'A reload',
  server: 'The server',
  output: 'Terminal and log',
  general: 'General',
} as const;

/** What the value of an option may name on disk; such values are made absolute and checked. */
export type PathRole = 'folder' | 'file' | 'new file' | 'new recording' | 'path or glob';

/** The type of an option's value, by the option's kind. */
export interface Kinds {
  /** `--flag`; `true` or `false` in a file. */
  switch: boolean;
  milliseconds: number;
  /** A whole number that is not negative. */
  count: number;
  choice: string;
  signal: NodeJS.Signals;
  text: string;
  /** Repeatable; a string or a list of strings in a file. A later layer replaces the whole list. */
  list: readonly string[];
}

interface KindDetails {
  switch: unknown;
  /** `bare`: the value when the flag stands alone, which makes the value optional. */
  milliseconds: { readonly bare?: number };
  count: unknown;
  choice: { readonly choices: readonly string[]; readonly bare?: string };
  signal: unknown;
  text: { readonly placeholder: string; readonly path?: PathRole; readonly mayBeEmpty?: true };
  /** `words`: a value may hold several, separated by commas or blanks. */
  list: { readonly placeholder: string; readonly path?: PathRole; readonly words?: true };
}

type Row<K extends keyof Kinds> = KindDetails[K] & {
  readonly kind: K;
  /** The one-letter form, without its dash. */
  readonly short?: string;
  /** `also`: there is a `--no-` form beside it (`false` in a file); `only`: the flag has no other form. */
  readonly negative?: 'also' | 'only';
  readonly group: keyof typeof groups;
  readonly fallback: Kinds[K] | undefined;
  /** The default in words, where the value itself would not tell. */
  readonly fallbackText?: string;
  /** A flag without a configuration key. */
  readonly flagOnly?: true;
  /** Help and README text; backticks mark what is typed. */
  readonly doc: string;
};

/** One row of the table. */
export type Option = { [K in keyof Kinds]: Row<K> }[keyof Kinds];

/** The options of one command, by configuration key. */
export type OptionTable = Readonly<Record<string, Option>>;

type ValueOf<O> = O extends { kind: 'choice'; choices: readonly (infer C)[] }
  ? C
  : O extends { kind: infer K extends keyof Kinds }
    ? Kinds[K]
    : never;

/** The resolved values of a table: `undefined` only where a row has no default. */
export type OptionValues<T extends OptionTable> = {
  readonly [K in keyof T]: ValueOf<T[K]> | (T[K]['fallback'] extends undefined ? undefined : never);
};

/** `readyTimeout` → `--ready-timeout`, without a `no-`. */
export function longFlag(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** What stands for the value in help and messages, `''` for a switch. */
export function placeholder(option: Option): string {
  switch (option.kind) {
    case 'switch':
      return '';
    case 'milliseconds':
      return option.bare === undefined ? '<ms>' : '[ms]';
    case 'count':
      return '<n>';
    case 'choice':
      return option.bare === undefined ? `<${option.choices.join('|')}>` : `[${option.choices.join('|')}]`;
    case 'signal':
      return '<name>';
    case 'text':
    case 'list':
      return option.placeholder;
  }
}

/** How an option is typed, each form on its own: `['-w, --watch <path or glob>']`, `['--clear <glob>', '--no-clear']`. */
export function optionForms(key: string, option: Option): readonly string[] {
  const long = longFlag(key);
  const negated = `--no-${long.slice(2)}`;
  if (option.negative === 'only') return [negated];
  const short = option.short === undefined ? '' : `-${option.short}, `;
  const form = `${short}${long} ${placeholder(option)}`.trimEnd();
  return option.negative === 'also' ? [form, negated] : [form];
}

/** The default as help and README show it, `undefined` when there is nothing to show. */
export function fallbackText(option: Option): string | undefined {
  if (option.fallbackText !== undefined) return option.fallbackText;
  const { fallback } = option;
  if (fallback === undefined || typeof fallback === 'boolean') return undefined;
  if (typeof fallback === 'object') return fallback.length === 0 ? undefined : `\`${fallback.join(' ')}\``;
  return typeof fallback === 'number' ? String(fallback) : `\`${fallback}\``;
}
