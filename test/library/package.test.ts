import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PLAIN_JS, plainText } from '../e2e/live.ts';
import { run } from '../e2e/run.ts';
import { repositoryFile } from '../kit/messages.ts';
import { RawClient } from '../kit/raw-client.ts';
import { type TempProject, tempProject } from '../kit/temp-project.ts';

const README = readFileSync(repositoryFile('README.md'), 'utf8');
const EXAMPLE = /<!-- library -->\s*```ts\n([\s\S]*?)```\s*<!-- \/library -->/.exec(README)?.[1] as string;

/** Holds the package as npm publishes it. */
const folder = mkdtempSync(join(tmpdir(), 'mcp-dev-test-'));
let tarball: string;

afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(() => {
  const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder];
  execFileSync('npm', args, { cwd: repositoryFile('.'), stdio: ['ignore', 'pipe', 'ignore'] });
  const [name = ''] = readdirSync(folder);
  tarball = join(folder, name);
});

/** A project that depends on the package, and has what the package depends on. */
function consumer(files: Readonly<Record<string, string>>): TempProject {
  const project = tempProject({ ...PLAIN_JS, ...files });
  const modules = project.path('node_modules');
  mkdirSync(join(modules, 'mcp-dev'), { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', join(modules, 'mcp-dev'), '--strip-components=1']);
  const { dependencies } = JSON.parse(readFileSync(repositoryFile('package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of [...Object.keys(dependencies), '@types/node', 'undici-types']) {
    mkdirSync(join(modules, name, '..'), { recursive: true });
    symlinkSync(repositoryFile(`node_modules/${name}`), join(modules, name));
  }
  return project;
}

const TSCONFIG = JSON.stringify({
  compilerOptions: {
    module: 'nodenext',
    target: 'es2023',
    lib: ['es2023'],
    types: ['node'],
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    exactOptionalPropertyTypes: true,
  },
  files: ['main.ts'],
});

const TSC = repositoryFile('node_modules/typescript/bin/tsc');

describe('the package in a project of somebody else', () => {
  test('the example of the README has the right types, and runs', async () => {
    const project = consumer({ 'main.ts': EXAMPLE, 'tsconfig.json': TSCONFIG });
    const types = await run(process.execPath, [TSC, '-p', 'tsconfig.json'], { cwd: project.folder });
    expect(types).toMatchObject({ code: 0, stdout: '' });
    const { code } = await transform(EXAMPLE, { loader: 'ts' });
    project.write('main.mjs', code);
    project.write('src/a.js', '0');
    const client = RawClient.start([process.execPath, 'main.mjs'], { cwd: project.folder });
    await client.initialize();
    const { tools } = await client.result('tools/list');
    expect((tools as readonly { readonly name: string }[]).map(({ name }) => name)).toEqual([
      'version',
      'mcp_dev_status',
      'mcp_dev_reload',
      'mcp_dev_logs',
      'mcp_dev_call',
    ]);
    await client.stderrLine(/^generation 1 after \d+ ms: $/);
    project.write('src/a.js', '1');
    await client.stderrLine(/^generation 2 after \d+ ms: $/);
    expect(await client.close()).toEqual({ code: 0, signal: null });
    expect(client.garbage).toEqual([]);
  });

  test('events and options that there are not are errors of the compiler', async () => {
    const wrong = [
      `import { createDevServer } from 'mcp-dev';`,
      `const server = await createDevServer({ entry: 'server.mjs', exclusive: 'auto', clear: false, hold: 5 });`,
      `server.on('reload', ({ ms }) => ms.total.toFixed());`,
      `server.on('session', (event) => event.state === 'connected' && event.era.length);`,
      '// @ts-expect-error no such event',
      `server.on('reloaded', () => {});`,
      '// @ts-expect-error no such member',
      `server.on('stop', ({ pid }) => pid);`,
      '// @ts-expect-error no such choice',
      `await createDevServer({ entry: 'server.mjs', exclusive: 'maybe' });`,
      '// @ts-expect-error only for a command line',
      `await createDevServer({ entry: 'server.mjs', terminal: true });`,
    ];
    const project = consumer({ 'main.ts': wrong.join('\n'), 'tsconfig.json': TSCONFIG });
    const types = await run(process.execPath, [TSC, '-p', 'tsconfig.json'], { cwd: project.folder });
    expect(types).toMatchObject({ code: 0, stdout: '' });
  });

  test('CommonJS, with the session on stdin and stdout, and the command of the package', async () => {
    const project = consumer({
      'main.cjs': `require('mcp-dev').createDevServer({ command: [process.execPath, 'server.mjs'], quiet: true })
        .then((server) => server.closed).then(() => console.error('closed'));`,
    });
    const ask = '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}';
    const shell = (command: string) =>
      run('sh', ['-c', `echo '${ask}' | ${command}`], { cwd: project.folder });
    const own = await shell(`"${process.execPath}" main.cjs`);
    expect(own).toMatchObject({ code: 0, stderr: 'closed\n' });
    expect(JSON.parse(own.stdout)).toMatchObject({ id: 1, result: { serverInfo: { name: 'plain' } } });
    const command = await shell(
      `"${process.execPath}" node_modules/mcp-dev/bin/mcp-dev.cjs -q -- "${process.execPath}" server.mjs`,
    );
    expect(command).toMatchObject({ code: 0, stdout: own.stdout });
  });

  test('a session goes on when the package is removed while nobody has used it yet', async () => {
    const server = (version: string) => `console.error('up ${version}');\n${plainText(version)}`;
    const project = consumer({ 'server.mjs': server('one') });
    const mcpDev = [
      'node_modules/mcp-dev/bin/mcp-dev.cjs',
      '--verbose',
      '--',
      process.execPath,
      'server.mjs',
    ];
    const client = RawClient.start([process.execPath, ...mcpDev], { cwd: project.folder });
    await client.stderrLine(/up one/);
    project.write('server.mjs', server('two'));
    await client.stderrLine(/up two/);
    rmSync(project.path('node_modules/mcp-dev'), { recursive: true });
    await client.initialize();
    await client.stderrLine(/^mcp-dev other terminals cannot reach this: Cannot find module /);
    project.write('server.mjs', server('three'));
    await client.stderrLine(/generation 3 took over/);
    const { content } = await client.result('tools/call', { name: 'version', arguments: {} });
    expect(content).toEqual([{ type: 'text', text: 'three' }]);
    expect(await client.close()).toEqual({ code: 0, signal: null });
  });
});
