import { execFile } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { type TempProject, tempProject } from '../kit/temp-project.ts';

const source = (name: string) => new URL(`../../src/cli/${name}`, import.meta.url).pathname;

/** `resolve` as it is shipped, in one file, and a program that says what else node loaded for it. */
async function shipped(project: TempProject) {
  symlinkSync(new URL('../../node_modules', import.meta.url).pathname, project.path('node_modules'));
  project.write('package.json', '{}');
  const program = project.path('program.cjs');
  await build({
    stdin: {
      contents: `
        import { resolve } from ${JSON.stringify(source('resolve.ts'))};
        const host = { cwd: process.cwd(), env: {}, home: '/nowhere', stdoutIsTTY: false, stderrIsTTY: false };
        void resolve(process.argv.slice(2), host).then((resolved) => {
          const packages = Object.keys(require.cache).map((file) => /node_modules\\/([^/]+)/.exec(file)?.[1]);
          console.log(JSON.stringify({ kind: resolved.kind, packages: [...new Set(packages)].filter(Boolean) }));
        });`,
      resolveDir: project.folder,
    },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile: program,
    external: ['zod', 'yaml', 'jsonc-parser'],
    logLevel: 'silent',
  });
  return async (...argv: string[]) => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, ...argv], {
      cwd: project.folder,
    });
    return { said: JSON.parse(stdout) as { kind: string; packages: string[] }, stderr };
  };
}

test('what only a configuration file needs is loaded only for one', async () => {
  const project = tempProject({ 'x.js': '' });
  const run = await shipped(project);
  expect((await run('--', 'node', 'x.js')).said).toEqual({ kind: 'run', packages: [] });

  project.write('mcp-dev.config.json', '{"hold": 3}');
  expect((await run('x.js')).said).toEqual({ kind: 'run', packages: ['zod'] });
  const dumped = (await run('--dump', 'x.js')).said;
  expect(dumped).toMatchObject({ kind: 'dump', packages: expect.arrayContaining(['zod', 'jsonc-parser']) });

  project.remove('mcp-dev.config.json');
  project.write('mcp-dev.config.yaml', 'hold: 3');
  expect((await run('x.js')).said.packages).toEqual(expect.arrayContaining(['yaml']));
});

test('what a configuration prints goes to stderr', async () => {
  const project = tempProject({ 'x.js': '' });
  const run = await shipped(project);
  project.write(
    'mcp-dev.config.mjs',
    'console.log("hello"); export default () => { console.info("there"); return {}; };',
  );
  const { said, stderr } = await run('x.js');
  expect(said.kind).toBe('run');
  expect(stderr).toBe('hello\nthere\n');
});
