import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { repositoryFile } from '../kit/messages.ts';
import { type TempProject, tempProject } from '../kit/temp-project.ts';
import { Arrivals } from '../kit/wait.ts';
import { type Files, Live } from './live.ts';

/** A server of the SDK in TypeScript: `version` answers this text. */
function toolsTs(version: string): string {
  return `
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';

export function addTools(server: McpServer): void {
  server.registerTool('version', {}, () => ({ content: [{ type: 'text', text: '${version}' }] }));
}
`;
}

/**
 * A project as the SDK's documentation has it; `tsc` writes it to `dist`. It lies three folders below the root of
 * the file system, because `tsc` watches nothing that is nearer to it.
 */
function sdkProject(more: Files = {}): TempProject {
  const outer = tempProject();
  const inner = (name: string) => join('projects', 'compiled', name);
  const project: TempProject = {
    folder: outer.path(inner('.')),
    path: (name) => outer.path(inner(name)),
    write: (name, text) => outer.write(inner(name), text),
    atomicWrite: (name, text) => outer.atomicWrite(inner(name), text),
    remove: (name) => outer.remove(inner(name)),
  };
  const files: Files = {
    'package.json': '{ "name": "compiled", "type": "module" }',
    'tsconfig.json': JSON.stringify({
      compilerOptions: {
        ...{ target: 'es2023', module: 'nodenext', rootDir: 'src', outDir: 'dist', declaration: true },
        ...{ strict: true, skipLibCheck: true, types: ['node'] },
      },
      include: ['src'],
    }),
    'src/server.ts': `
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { addTools } from './tools.js';

const server = new McpServer({ name: 'compiled', version: '1.0.0' });
addTools(server);
await server.connect(new StdioServerTransport());
`,
    'src/tools.ts': toolsTs('one'),
    ...more,
  };
  for (const [name, text] of Object.entries(files)) project.write(name, text);
  symlinkSync(repositoryFile('node_modules'), project.path('node_modules'));
  return project;
}

test.each([
  { name: 'with dist in .gitignore', files: { '.gitignore': 'dist\nnode_modules\n' } },
  { name: 'without a .gitignore', files: {} },
])('tsc builds before each swap, and what it writes starts no reload ($name)', async ({ files }) => {
  const args = ['--build', 'npx tsc', '--', 'node', 'dist/server.js'];
  const live = await Live.connectIn(sdkProject(files), args);
  expect(await live.call()).toBe('one');
  for (const [at, version] of ['two', 'three', 'four'].entries()) {
    await live.reload(at + 2, 'src/tools.ts', toolsTs(version));
    expect(await live.call()).toBe(version);
  }
  expect(live.triggers).toEqual(['src/tools.ts', 'src/tools.ts', 'src/tools.ts']);
});

test('an error of the compiler keeps the old code in service and is shown', async () => {
  const live = await Live.connectIn(sdkProject(), [
    '--build',
    'node_modules/.bin/tsc',
    '--',
    'node',
    'dist/server.js',
  ]);
  live.project.write('src/tools.ts', `${toolsTs('two')}\nconst wrong: number = 'text';\n`);
  await live.client.stderrLine(
    /the build failed \(exit code [12]\) \(src\/tools\.ts\); generation 1 goes on/,
  );
  await live.client.stderrLine(/src\/tools\.ts\D8\D7\D.*error TS2322/);
  expect(await live.call()).toBe('one');
  await live.reload(2, 'src/tools.ts', toolsTs('three'));
  expect(await live.call()).toBe('three');
});

test.each([
  { name: 'with dist in .gitignore', files: { '.gitignore': 'dist\n' } },
  { name: 'with dist known from tsconfig.json alone', files: {} },
])(
  'a compiler that runs elsewhere: one reload for each save, and none for the source ($name)',
  async ({ files }) => {
    const project = sdkProject(files);
    const compiler = Compiler.watch(project);
    await compiler.done(1);
    const live = await Live.connectIn(project, ['--', 'node', 'dist/server.js']);
    for (const [at, version] of ['two', 'three', 'four'].entries()) {
      // A compiler would see a file that is rewritten in place while it is empty, and compile that first.
      project.atomicWrite('src/tools.ts', toolsTs(version));
      await compiler.done(at + 2);
      await live.tookOver(at + 2);
      expect(await live.call()).toBe(version);
    }
    // Its declarations may come along, if their first content was not noted yet.
    const output = expect.stringMatching(/^(dist\/tools\.d\.ts, )?dist\/tools\.js$/);
    expect(live.triggers).toEqual([output, output, output]);
  },
);

test('a compiler that runs elsewhere, and has not run yet: its first output starts the server', async () => {
  const project = sdkProject({ '.gitignore': 'dist\n' });
  const live = Live.startIn(project, ['--', 'node', 'dist/server.js']);
  const { instructions } = await live.client.initialize();
  expect(instructions).toContain('Cannot find module');
  await Compiler.watch(project).done(1);
  await live.client.next('notifications/tools/list_changed');
  expect(await live.call()).toBe('one');
});

test('the project is built where it lies, also before its first build, wherever the client starts', async () => {
  const project = sdkProject({
    'package.json': JSON.stringify({ type: 'module', scripts: { build: 'tsc' } }),
  });
  const elsewhere = tempProject({ 'package.json': '{ "name": "elsewhere" }' });
  const program = project.path('dist/server.js');
  const live = await Live.connectIn(elsewhere, ['--build', 'npm run build', '--', 'node', program]);
  project.write('src/tools.ts', toolsTs('two'));
  await live.tookOver(2);
  expect(live.triggers).toEqual(['src/tools.ts']);
  expect(await live.call()).toBe('two');
});

/** `tsc --watch`, as it runs in a terminal beside the client. It ends with the test. */
class Compiler {
  readonly #output = new Arrivals<string>('the output of tsc');

  private constructor(child: ChildProcess) {
    child.stdout?.on('data', (chunk: Buffer) => this.#output.push(chunk.toString()));
    onTestFinished(async () => {
      // The program that node starts is not the compiler, but only starts it.
      process.kill(-(child.pid ?? 0), 'SIGKILL');
      await once(child, 'exit');
    });
  }

  static watch(project: TempProject): Compiler {
    const tsc = repositoryFile('node_modules/typescript/bin/tsc');
    return new Compiler(
      spawn(process.execPath, [tsc, '--watch', '--preserveWatchOutput'], {
        cwd: project.folder,
        detached: true,
      }),
    );
  }

  /** Resolves when it has compiled for the nth time. */
  async done(n: number): Promise<void> {
    const says = 'Watching for file changes';
    let seen = 0;
    await this.#output.find((text) => {
      seen += text.split(says).length - 1;
      return seen >= n;
    }, `"${says}" number ${n}`);
  }
}
