/** The option of node that loads our module, as one word of `NODE_OPTIONS`. */
export function nodeOption(name: '--import' | '--require', value: string): string {
  return /[\s"\\]/.test(value) ? `${name}=${JSON.stringify(value)}` : `${name}=${value}`;
}

/** Ours before the user's: whatever those load comes after it. */
export function withOption(userOptions: string | undefined, option: string): string {
  return userOptions === undefined ? option : `${option} ${userOptions}`;
}

/** The user's own again; undefined where there were none. */
export function withoutOption(options: string, option: string): string | undefined {
  if (options === option) return undefined;
  return options.startsWith(`${option} `) ? options.slice(option.length + 1) : options.replace(option, '');
}
