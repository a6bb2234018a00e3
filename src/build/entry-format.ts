import { readFile } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import type { ModuleFormat } from './entry-view.ts';
import { nearest } from './files.ts';

/** CommonJS' own names that esbuild does not take as a sign of CommonJS in a text that exports by ESM syntax. */
const COMMONJS_USE = '__mcp_dev_commonjs';

/** The module system that a source is declared to use: by its extension, else by the nearest package.json. */
export async function declaredFormat(entry: string): Promise<ModuleFormat | undefined> {
  switch (extname(entry)) {
    case '.mts':
    case '.mjs':
      return 'esm';
    case '.cts':
    case '.cjs':
      return 'cjs';
    default:
      return packageType(dirname(entry));
  }
}

async function packageType(folder: string): Promise<ModuleFormat | undefined> {
  const path = await nearest('file', 'package.json', folder);
  if (path === undefined) return undefined;
  try {
    const { type } = JSON.parse(await readFile(path, 'utf8'));
    return type === 'module' ? 'esm' : type === 'commonjs' ? 'cjs' : undefined;
  } catch (error) {
    // One with an error in it says nothing here; esbuild reads it too, and reports it.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * The module system that an entry is written for, where nothing declares it: ESM is what has its syntax
 * and does not use `require.main`, `module` or `exports`. Undefined for a text with a syntax error.
 */
export async function writtenFormat(
  entry: string,
  esbuild: typeof import('esbuild'),
): Promise<ModuleFormat | undefined> {
  // esbuild parses the one file; all that it imports is left aside.
  const result = await esbuild
    .build({
      entryPoints: [entry],
      bundle: true,
      write: false,
      metafile: true,
      format: 'esm',
      platform: 'node',
      logLevel: 'silent',
      define: { 'require.main': COMMONJS_USE, 'module.exports': COMMONJS_USE },
      plugins: [
        {
          name: 'only-the-entry',
          setup(build) {
            build.onResolve({ filter: /.*/ }, ({ path, kind }) =>
              kind === 'entry-point' ? undefined : { path, external: true },
            );
          },
        },
      ],
    })
    .catch((error: unknown) => {
      if (error instanceof Error && 'errors' in error) return undefined;
      throw error;
    });
  if (!result) return undefined;
  const [parsed] = Object.values(result.metafile.inputs);
  const usesCommonJs = result.outputFiles.some((file) => file.text.includes(COMMONJS_USE));
  return parsed?.format === 'esm' && !usesCommonJs ? 'esm' : 'cjs';
}
