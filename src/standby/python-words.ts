import { type Reading, unfit } from './reading.ts';

/** Options that change nothing about when what is loaded, each letter on its own or several in one word. */
const HARMLESS = /^-[uBbOqsvdP]+$/;
/** Values of -X of that kind. */
const HARMLESS_X =
  /^(?:dev|utf8|faulthandler|no_debug_ranges|warn_default_encoding|gil|frozen_modules|int_max_str_digits|pycache_prefix|tracemalloc|context_aware_warnings|thread_inherit_context|cpu_count)(?:=|$)/;
/** Options with which Python takes no notice of what it is given: no PYTHONPATH, no sitecustomize. */
const IGNORANT = /^-[uBbOqsvdP]*[IES]/;

/** Reads Python's words: options, the program or `-m` and a module, the program's arguments. */
export function readPython(words: readonly string[], cwd: string): Reading {
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at]!;
    if (!word.startsWith('-')) return readScript(word, words.slice(0, at + 1), cwd);
    const module = /^-[uBbOqsvdP]*m(.*)$/.exec(word)?.[1];
    if (module !== undefined) {
      const length = module === '' ? at + 2 : at + 1;
      if (words.length < length) return unfit('the command names no program');
      return { kind: 'python', cwd, program: { kind: 'module' }, words: words.slice(0, length) };
    }
    if (IGNORANT.test(word)) return unfit(`Python takes no notice of what it is given because of ${word}`);
    const [, option, given] = /^-(W|X)(.*)$/.exec(word) ?? [];
    if (option === undefined) {
      if (!HARMLESS.test(word)) return unfit(`Python's ${word} may depend on when it starts`);
      continue;
    }
    const value = given === '' ? (words[++at] ?? '') : given!;
    if (option === 'X' && !HARMLESS_X.test(value))
      return unfit(`Python's -X ${value} may depend on when it starts`);
  }
  return unfit('the command names no program');
}

function readScript(path: string, words: readonly string[], cwd: string): Reading {
  // Others may be folders or archives.
  if (!/\.pyw?$/i.test(path)) return unfit(`${path} is not named like a program for Python`);
  return { kind: 'python', cwd, program: { kind: 'script', path }, words };
}
