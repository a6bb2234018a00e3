import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The module system of an output: `import` and `import.meta`, or `require` and `module`. */
export type ModuleFormat = 'esm' | 'cjs';

// What a program can learn about where its code lies. All of it must name the sources, though the code
// that runs lies elsewhere, in one file: paths of its own for each source, argv[1] and require of the entry.

/** esbuild's `define`: these free names of a source are taken from the constants of `withConstants`. */
export const DEFINE: Readonly<Record<string, string>> = {
  'import.meta': '__mcp_dev_meta',
  __dirname: '__mcp_dev_dirname',
  __filename: '__mcp_dev_filename',
};

/** Matches every text in which one of these names can occur, and few others. */
const MENTIONS = /\bmeta\b|__dirname|__filename/;

/** A hashbang line, comments and directives: only after them may a statement be put. */
const PROLOGUE =
  /^(?:#![^\n]*\n)?(?:(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*(?:'use [\w ]+'|"use [\w ]+")[ \t]*(?:;|(?=\r?\n)))*/;

/**
 * The text of a source with the constants that `DEFINE` refers to, each file its own; undefined when it
 * needs none. No line is added, so that line numbers stay what they are.
 */
export function withConstants(
  text: string,
  source: { readonly path: string; readonly isEntry: boolean; readonly format: ModuleFormat },
): string | undefined {
  if (!MENTIONS.test(text)) return undefined;
  const body = text.replace(/^\uFEFF/, '');
  const url = JSON.stringify(pathToFileURL(source.path).href);
  const filename = JSON.stringify(source.path);
  const folder = JSON.stringify(dirname(source.path));
  const resolve = source.format === 'esm' ? `,resolve:__mcp_dev_resolver(${url})` : '';
  const meta = `{__proto__:null,dirname:${folder},filename:${filename},main:${source.isEntry},url:${url}${resolve}}`;
  const constants = `var __mcp_dev_meta=${meta},__mcp_dev_dirname=${folder},__mcp_dev_filename=${filename};`;
  const prologue = PROLOGUE.exec(body)?.[0] ?? '';
  return `${prologue};${constants}${body.slice(prologue.length)}`;
}

/**
 * Turns on source maps when an ESM output has its packages, since with `--enable-source-maps` node reads the map of
 * each of their files first, 5 to 10 % of the start of a server on the SDK. The output itself is loaded by then, and node
 * looks for maps only in what it compiles: so it compiles a text of that name which has nothing but the reference.
 */
const MAP_OUTPUT =
  'process.setSourceMapsEnabled(true);' +
  'const __mcp_dev_map=new __mcp_dev_module.Module(__mcp_dev_output);' +
  '__mcp_dev_map._compile("//# sourceMappingURL="+encodeURIComponent(__mcp_dev_output.replace(/^.*[\\\\/]/,""))+".map",__mcp_dev_output);';

/**
 * What runs before the program. An ESM output evaluates all that it imports before its own first
 * statement, hence the import that sets argv[1], ahead of the packages.
 */
export function prelude(format: ModuleFormat, entry: string): string {
  const path = JSON.stringify(entry);
  const url = JSON.stringify(pathToFileURL(entry).href);
  if (format === 'cjs') {
    return [
      `const __mcp_dev_module=require("node:module"),__mcp_dev_output=module.filename;`,
      MAP_OUTPUT,
      `process.argv[1]=module.filename=${path};require=__mcp_dev_module.createRequire(${path});`,
    ].join('');
  }
  const setArgv = `data:text/javascript,${encodeURIComponent(`process.argv[1]=${path}`)}`;
  return [
    `import ${JSON.stringify(setArgv)};`,
    `import*as __mcp_dev_module from"node:module";import{fileURLToPath as __mcp_dev_path}from"node:url";`,
    `const __mcp_dev_output=__mcp_dev_path(import.meta.url);`,
    MAP_OUTPUT,
    `const require=__mcp_dev_module.createRequire(${url}),`,
    // A package is looked up from the output, from where the same packages are found.
    `__mcp_dev_resolver=url=>specifier=>`,
    `/^\\.{0,2}\\//.test(specifier)?new URL(specifier,url).href:import.meta.resolve(specifier);`,
  ].join('');
}
