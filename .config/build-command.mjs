// Builds dist/mcp-dev.cjs, which starts dist/command/main.cjs. What the first answer to a client needs is that one file, for
// every file more costs time and its code is kept as one (src/start/code-cache.ts); what is needed later lies in files of
// its own beside it.
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { rolldown } from 'rolldown';

const MAIN = 'src/cli/main.ts';
const FOLDER = 'dist/command';

// Packages that are needed seldom stay packages.
const external = [
  /^(chokidar|esbuild|yaml|jsonc-parser|get-tsconfig)$/,
  /^@modelcontextprotocol\//,
  /^ajv(-formats)?($|\/)/,
];
const common = { platform: 'node', external };
const output = { format: 'cjs', comments: { legal: true, annotation: false, jsdoc: false } };

/** The modules that the entry needs at once: it imports them, or something that it imports does. */
const first = new Set();
const findFirst = {
  name: 'find-first',
  buildEnd() {
    const follow = (id) => {
      if (first.has(id)) return;
      first.add(id);
      for (const imported of this.getModuleInfo(id)?.importedIds ?? []) follow(imported);
    };
    for (const id of this.getModuleIds()) if (this.getModuleInfo(id)?.isEntry) follow(id);
  },
};

/** Text without any other character takes half the room in memory, and half the time to take in. */
const asciiOnly = {
  name: 'ascii-only',
  renderChunk: (code) =>
    code.replace(/[^\x00-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
};

rmSync(FOLDER, { recursive: true, force: true });
const command = await rolldown({
  ...common,
  input: { main: MAIN },
  preserveEntrySignatures: 'allow-extension',
  plugins: [findFirst, asciiOnly],
});
const { output: files } = await command.write({
  ...output,
  dir: FOLDER,
  entryFileNames: '[name].cjs',
  // A session that runs while the package is replaced finds its own file or none, but not a later version's.
  chunkFileNames: '[name]-[hash].cjs',
  // As node would put around it; here it saves the start a copy of the text.
  postBanner: ({ isEntry }) => (isEntry ? '(function (exports, require, module, __filename, __dirname) {' : ''),
  postFooter: ({ isEntry }) => (isEntry ? '})' : ''),
  codeSplitting: {
    groups: [{ name: 'first', test: (id) => first.has(id) }],
  },
});
await command.close();

const { code } = files.find((file) => file.isEntry);
if (/\bimport\(/.test(code)) {
  throw new Error(`what ${MAIN} imports at once must not import() a package: V8's code cache forbids it`);
}
const digest = createHash('sha256').update(code).digest('hex').slice(0, 16);
const start = await rolldown({
  ...common,
  input: { 'mcp-dev': 'src/start/start.ts' },
  transform: { define: { COMMAND_DIGEST: JSON.stringify(digest) } },
});
await start.write({ ...output, dir: 'dist', entryFileNames: '[name].cjs' });
await start.close();
