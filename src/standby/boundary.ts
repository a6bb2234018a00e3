import { isBuiltin } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { ImportKind, OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from 'esbuild';
import { declaredFormat } from '../build/entry-format.ts';
import { leaveEsbuild, useEsbuild } from '../build/esbuild-service.ts';
import { packageName } from './package-name.ts';

/** A file of a package that a program loads, and by which of node's two ways. */
export interface Package {
  /** Absolute, without links. */
  readonly path: string;
  readonly way: 'import' | 'require';
}

/** The packages of a program. */
export interface Packages {
  /** Those that are known to do nothing but define things when they are loaded. */
  readonly pure: readonly Package[];
  readonly others: readonly Package[];
}

/** What takes a server's time to load and does nothing but define things when it is loaded. */
const PURE = /^(?:@modelcontextprotocol\/(?:sdk|core|server|client|node|express|hono|fastify|ext-apps)|zod)$/;
/** What has to be there before any other package is loaded, as it changes how that is done. */
const INSTRUMENTATION =
  /^(?:@opentelemetry\/.*|dd-trace|@sentry\/.*|newrelic|@newrelic\/.*|elastic-apm-node|@?appsignal.*|applicationinsights|import-in-the-middle|require-in-the-middle)$/;

/** What reads the program's sources. */
export type Loader = 'node' | 'tsx';

const OWN = Symbol('own question');

/**
 * The packages at the edge of a program: those which its own files load when it starts. None when one of them is
 * instrumentation, or when the program can't be read now. `tsx` says that tsx runs it, by its own rule for
 * what is an ES module.
 */
export async function boundaryPackages(
  entry: string,
  mode: 'safe' | 'deps',
  loader: Loader,
): Promise<Packages> {
  const found = new Map<string, Package>();
  const esbuild = await useEsbuild();
  try {
    await esbuild.build({
      entryPoints: [entry],
      bundle: true,
      write: false,
      outdir: '/',
      format: 'esm',
      platform: 'node',
      target: 'esnext',
      conditions: [],
      logLevel: 'silent',
      plugins: [edge((each) => found.set(`${each.way} ${each.path}`, each), loader)],
    });
  } catch (error) {
    // What does not compile, or breaks esbuild's process, is the server's start to tell.
    if (!(error instanceof Error)) throw error;
    return { pure: [], others: [] };
  } finally {
    await leaveEsbuild(esbuild);
  }
  const packages = [...found.values()];
  if (packages.some(({ path }) => INSTRUMENTATION.test(packageName(path)))) return { pure: [], others: [] };
  const isPure = ({ path }: Package): boolean => PURE.test(packageName(path));
  const others = mode === 'deps' ? packages.filter((each) => !isPure(each)) : [];
  return { pure: packages.filter(isPure), others };
}

/** Tells of what lies in a node_modules folder, and keeps it out. */
function edge(onPackage: (found: Package) => void, loader: Loader): Plugin {
  return {
    name: 'mcp-dev-edge',
    setup(build) {
      build.onResolve({ filter: /.*/ }, async (args): Promise<OnResolveResult | undefined> => {
        if (args.pluginData === OWN || args.kind === 'entry-point') return undefined;
        if (isBuiltin(args.path)) return { path: args.path, external: true };
        const kind = await kindOfCall(args, loader);
        const path = await resolved(build, args, kind);
        if (path === undefined) return { path: args.path, external: true };
        if (!/[\\/]node_modules[\\/]/.test(path)) return { path };
        if (kind === 'import-statement') onPackage({ path, way: 'import' });
        if (kind === 'require-call') onPackage({ path, way: 'require' });
        return { path, external: true };
      });
      build.onLoad({ filter: /.*/ }, ({ path }) =>
        /\.(?:[cm]?[jt]sx?|json)$/.test(path) ? undefined : { contents: '', loader: 'js' },
      );
    },
  };
}

async function resolved(
  build: PluginBuild,
  args: OnResolveArgs,
  kind: ImportKind,
): Promise<string | undefined> {
  // Code that stands in the URL itself needs no package.
  if (/^(?!file:)[a-z][a-z\d+.-]+:/i.test(args.path)) return undefined;
  const path = args.path.startsWith('file:') ? fileURLToPath(args.path) : args.path;
  const { importer, namespace, resolveDir } = args;
  const found = await build.resolve(path, { kind, importer, namespace, resolveDir, pluginData: OWN });
  return found.errors.length > 0 || found.external ? undefined : found.path;
}

/** tsx makes `require` of `import` in a file that is not declared to be an ES module. */
async function kindOfCall({ kind, importer }: OnResolveArgs, loader: Loader): Promise<ImportKind> {
  if (loader === 'node' || kind !== 'import-statement') return kind;
  return (await declaredFormat(importer)) === 'esm' ? kind : 'require-call';
}
