import { Console } from 'node:console';
import { basename, extname } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Steps from the top of a configuration to a value in it. */
export type Path = readonly (string | number)[];

/** What a configuration file holds. */
export interface Document {
  readonly value: unknown;
  /** The one-based line of a key or list item; undefined for programs, which have none. */
  lineOf(path: Path): Promise<number | undefined>;
}

/** A file that can't be understood; the line where it stops making sense, if it has lines. */
export interface Broken {
  readonly kind: 'broken';
  readonly line: number | undefined;
  readonly problem: string;
}

/** Reads a configuration from the text of its file; a program is run instead. */
export async function readDocument(file: string, text: string): Promise<Document | Broken> {
  switch (extname(file)) {
    case '.yaml':
    case '.yml':
      return readYaml(text);
    case '.js':
    case '.mjs':
      return readProgram(file);
    default:
      return readJson(text.replace(/^\uFEFF/, ''), basename(file) === 'package.json' ? ['mcp-dev'] : []);
  }
}

/** `top` leads to the configuration inside the text. */
async function readJson(text: string, top: Path): Promise<Document | Broken> {
  const lineAt = (offset: number) => text.slice(0, offset).split('\n').length;
  const lineOf = async (path: Path) => {
    // A CommonJS package: imported by an ES module, all that it has is its default.
    const { default: jsonc } = await import('jsonc-parser');
    const tree = jsonc.parseTree(text);
    const node = tree && jsonc.findNodeAtLocation(tree, [...top, ...path]);
    const shown = node?.parent?.type === 'property' ? node.parent : node;
    return shown && lineAt(shown.offset);
  };
  const plain = parsePlain(text);
  if (plain !== undefined) return { value: descend(plain.value, top), lineOf };

  const { default: jsonc } = await import('jsonc-parser');
  const errors: import('jsonc-parser').ParseError[] = [];
  const value: unknown = jsonc.parse(text, errors, { allowTrailingComma: true });
  const error = errors[0];
  if (error === undefined) return { value: descend(value, top), lineOf };
  // `CommaExpected` → `comma expected`
  const words = jsonc
    .printParseErrorCode(error.error)
    .replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return { kind: 'broken', line: lineAt(error.offset), problem: words.trim() };
}

/** Most files are plain JSON, and then the tolerant parser need not be loaded. */
function parsePlain(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function descend(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], value);
}

async function readYaml(text: string): Promise<Document | Broken> {
  const { parseDocument, LineCounter, visit, isMap, isNode } = await import('yaml');
  const lines = new LineCounter();
  const lineAt = (offset: number | undefined) =>
    offset === undefined ? undefined : lines.linePos(offset).line;
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  let broken: Broken | undefined;
  const error = document.errors[0];
  if (error !== undefined) broken = { kind: 'broken', line: lineAt(error.pos[0]), problem: error.message };
  visit(document, {
    // `*.log` without quotes is a reference to an anchor in YAML.
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined) return undefined;
      const problem = `"*${alias.source}" needs its quotes here`;
      broken = { kind: 'broken', line: lineAt(alias.range?.[0]), problem };
      return visit.BREAK;
    },
  });
  if (broken !== undefined) return broken;

  const lineOf = async (path: Path) => {
    const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
    const last = path.at(-1);
    const pair = isMap(parent) ? parent.items.find(({ key }) => String(key) === last) : undefined;
    const node = pair?.key ?? document.getIn(path, true);
    return isNode(node) ? lineAt(node.range?.[0]) : undefined;
  };
  // A file in which everything is commented out says nothing, which is no mistake.
  return { value: document.toJS() ?? {}, lineOf };
}

/** A module whose default export is the configuration, or a function that returns it. */
async function readProgram(file: string): Promise<Document | Broken> {
  try {
    const value = await withoutStdout(async () => {
      const { default: config } = (await import(pathToFileURL(file).href)) as { default?: unknown };
      return typeof config === 'function' ? ((await config()) as unknown) : config;
    });
    return { value, lineOf: async () => undefined };
  } catch (error) {
    // Whatever is thrown here was thrown by the program, and its author wants to read it.
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { kind: 'broken', line: undefined, problem: text.split('\n', 1)[0]! };
  }
}

/** Stdout carries messages and nothing else: what a program prints while it is read goes to stderr. */
async function withoutStdout<T>(work: () => Promise<T>): Promise<T> {
  const { console: own } = globalThis;
  globalThis.console = new Console(process.stderr, process.stderr);
  try {
    return await work();
  } finally {
    globalThis.console = own;
  }
}
