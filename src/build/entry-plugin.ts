import { existsSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { OnResolveArgs, Plugin, PluginBuild } from 'esbuild';
import { type ModuleFormat, withConstants } from './entry-view.ts';
import { type Lead, NamedImports } from './named-imports.ts';

export interface EntryPluginOptions {
  /** Absolute and real. */
  readonly entry: string;
  readonly format: ModuleFormat;
  /** Where the output will lie, and look for its packages. */
  readonly outputFolder: string;
  /** Told of each source, absolute and real, before it is read. */
  onRead(path: string): void;
}

/** Marks a question that the plugin itself asks, so that it does not answer it. */
const OWN = Symbol('own question');

const IN_NODE_MODULES = /[\\/]node_modules[\\/]/;
const URL_SCHEME = /^[a-z][a-z\d+.-]+:/i;

/**
 * Draws the line between sources, which go into the output, and packages, which the output imports, and
 * gives each source the paths of its own. A source is what is imported by a relative path, and what
 * really lies outside of every node_modules folder, by whatever name and through whatever link it is
 * imported: a workspace's package, an alias of tsconfig's `paths` or of package.json's `imports`.
 */
export function entryPlugin(options: EntryPluginOptions): Plugin {
  return {
    name: 'mcp-dev-entry',
    setup(build) {
      const imports = new NamedImports();
      build.onStart(() => imports.forgetIfChanged());

      build.onResolve({ filter: /^[^./]/ }, async (args) => {
        const { path, kind, resolveDir } = args;
        if (args.pluginData === OWN || kind === 'entry-point' || isAbsolute(path)) return undefined;
        if (isBuiltin(path)) return { path, external: true };
        if (URL_SCHEME.test(path)) return undefined;
        const lead = await imports.lead(path, kind, resolveDir, () => follow(build, args, options));
        switch (lead.kind) {
          case 'source':
            return undefined;
          case 'package':
            return { path: lead.path, external: true };
          case 'nothing':
            // A package may be optional: node tells, should the program come to ask for it.
            return path.startsWith('#') ? undefined : { path, external: true };
        }
      });

      build.onResolve({ filter: /^[./].*\.node$/ }, ({ path, kind, resolveDir }) => {
        const addon = resolve(resolveDir, path);
        return existsSync(addon)
          ? { path: specifierOf(addon, kind, options.format), external: true }
          : undefined;
      });

      build.onLoad({ filter: /.*/, namespace: 'file' }, ({ path }) => {
        options.onRead(path);
        if (!/\.[cm]?[jt]sx?$/.test(path)) return undefined;
        // Synchronously, for it takes some 10 µs instead of 60, and there are as many as the program has files.
        const source = { path, isEntry: path === options.entry, format: options.format };
        const contents = withConstants(readFileSync(path, 'utf8'), source);
        return contents === undefined ? undefined : { contents, loader: 'default' };
      });
    },
  };
}

async function follow(
  build: PluginBuild,
  args: OnResolveArgs,
  { format, outputFolder }: EntryPluginOptions,
): Promise<Lead> {
  const { path, importer, namespace, resolveDir } = args;
  // An `import` becomes a `require` in a CommonJS output, and a package may answer them differently.
  const kind = format === 'cjs' && args.kind === 'import-statement' ? 'require-call' : args.kind;
  const ask = (from: string) =>
    build.resolve(path, { kind, importer, namespace, resolveDir: from, with: args.with, pluginData: OWN });

  const found = await ask(resolveDir);
  if (found.errors.length > 0) return { kind: 'nothing' };
  if (found.external) return { kind: 'package', path: found.path };
  if (!IN_NODE_MODULES.test(found.path)) return { kind: 'source' };
  // By its name where the output would find the same by it; an alias of package.json holds for sources only.
  const keepsName = !path.startsWith('#') && (await ask(outputFolder)).path === found.path;
  return { kind: 'package', path: keepsName ? path : specifierOf(found.path, kind, format) };
}

/** How the output imports a file by its absolute path. */
function specifierOf(path: string, kind: OnResolveArgs['kind'], format: ModuleFormat): string {
  const isImport = kind === 'dynamic-import' || (kind === 'import-statement' && format === 'esm');
  return isImport ? pathToFileURL(path).href : path;
}
