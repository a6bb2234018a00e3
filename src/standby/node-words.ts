import { resolve } from 'node:path';
import type { Loader } from './boundary.ts';
import { type NodeProgram, type Unfit, unfit } from './reading.ts';

/** The options at the beginning of node's words, and what follows them. */
export interface NodeOptions {
  readonly kind: 'options';
  readonly loader: Loader;
  readonly files: readonly string[];
  readonly rest: readonly string[];
}

/** Options of node that change nothing about when what is loaded. Other options of their kind take no separate value. */
const HARMLESS = [
  /^--no-[a-z-]+$/,
  /^--(?:enable-source-maps|throw-deprecation|pending-deprecation|insecure-http-parser|use-[a-z-]+-ca|expose-gc)$/,
  /^--trace-(?:warnings|deprecation|uncaught|exit|sigint|sync-io)$/,
  /^--experimental-(?:strip-types|transform-types|sqlite|websocket|eventsource|webstorage|wasm-modules|vm-modules)$/,
  /^--(?:max-old-space-size|max-semi-space-size|stack-size|stack-trace-limit|max-http-header-size)=/,
  /^--(?:unhandled-rejections|dns-result-order|disable-warning|title|network-family-autoselection-attempt-timeout)=/,
  /^--(?:tls-[a-z]+-v\d\.\d|use-largepages|localstorage-file)(?:=|$)/,
];

/** Reads node's words: options, the program, the program's arguments. */
export function readNode(words: readonly string[], cwd: string): NodeProgram | Unfit {
  const options = readNodeOptions(words, cwd);
  if (options.kind === 'none') return options;
  const { loader, files, rest } = options;
  return readProgram(rest[0], { cwd, loader, files });
}

/** Reads the words of tsx, which gives node's options on to node and has some of its own. */
export function readTsx(words: readonly string[], cwd: string): NodeProgram | Unfit {
  const [first, value] = words;
  if (first === 'watch') return unfit('tsx watch starts the server again by itself');
  if (first === '--tsconfig' && value !== undefined) {
    const reading = readTsx(words.slice(2), cwd);
    return reading.kind === 'none' ? reading : { ...reading, files: [...reading.files, resolve(cwd, value)] };
  }
  if (first === '--no-cache') return readTsx(words.slice(1), cwd);
  const reading = readNode(words, cwd);
  return reading.kind === 'none' ? reading : { ...reading, loader: 'tsx' };
}

/** Reads options up to the first word that is none. */
export function readNodeOptions(words: readonly string[], cwd: string): NodeOptions | Unfit {
  let loader: Loader = 'node';
  const files: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at]!;
    if (!word.startsWith('-')) return { kind: 'options', loader, files, rest: words.slice(at) };
    if (word === '--') return { kind: 'options', loader, files, rest: words.slice(at + 1) };
    const [name = '', given] = word.split(/=(.*)/s);
    switch (name) {
      case '--import': {
        const module = given ?? words[++at];
        if (module !== 'tsx' && module !== 'tsx/esm')
          return unfit(`node is told to --import ${module} first`);
        loader = 'tsx';
        break;
      }
      case '--env-file':
      case '--env-file-if-exists': {
        const file = given ?? words[++at];
        if (file !== undefined) files.push(resolve(cwd, file));
        break;
      }
      case '-r':
      case '--require':
      case '--loader':
      case '--experimental-loader':
        return unfit(`node is told to ${name} ${given ?? words[at + 1]} first`);
      default:
        if (!HARMLESS.some((known) => known.test(word)))
          return unfit(`node's ${name} may depend on when it starts`);
    }
  }
  return { kind: 'options', loader, files, rest: [] };
}

function readProgram(
  entry: string | undefined,
  rest: { readonly cwd: string; readonly loader: Loader; readonly files: readonly string[] },
): NodeProgram | Unfit {
  if (entry === undefined) return unfit('the command names no program');
  // Others may be found by an ending that is not written.
  if (!/\.[cm]?[jt]sx?$/i.test(entry)) return unfit(`${entry} is not named like a program for node`);
  return { kind: 'node', entry, ...rest };
}
