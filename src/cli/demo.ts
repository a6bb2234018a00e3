import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { constants, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import kleur from 'kleur';
import { packageFolder, packageVersion } from '../system/package.ts';
import { type Line, LineSplitter } from '../wire/line.ts';
import { isObject, type JsonObject } from '../wire/message.ts';
import { SmallClient } from './small-client.ts';

/** The demo is over before anybody doubts it; a step that takes longer than this has failed. */
const STEP_MS = 15_000;

const NEW_TOOL = `server.registerTool(
  'add',
  { description: 'Adds two numbers', inputSchema: { a: z.number(), b: z.number() } },
  ({ a, b }) => ({ content: [{ type: 'text', text: String(a + b) }] }),
);
`;
const PLACE = '// (the next tool goes here)\n';
const MISTAKE = 'const oops = ;\n';

/**
 * The whole loop in one terminal: a small server in a temporary folder, `mcp-dev` in front of it, and a
 * client that stays connected while the source is edited. Resolves with the exit code.
 */
export async function demo(color: boolean): Promise<number> {
  kleur.enabled = color;
  const interrupted = interruption();
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'mcp-dev-demo-')));
  try {
    await copyServer(folder);
    return await perform(folder, interrupted);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The exit code, should somebody stop us or nobody read any more: then there is still something to clean up. */
function interruption(): Promise<number> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => resolve(128 + constants.signals[signal]));
    }
    process.stdout.on('error', () => resolve(1));
  });
}

async function perform(folder: string, interrupted: Promise<number>): Promise<number> {
  const stage = new Stage(folder);
  try {
    const played = play(stage, join(folder, 'server.ts')).then(() => 0);
    return await Promise.race([played, interrupted]);
  } catch (error) {
    stage.say(kleur.red(`the demo failed: ${(error as Error).message}`));
    return 1;
  } finally {
    await stage.end();
  }
}

async function play(stage: Stage, source: string): Promise<void> {
  const write = async (text: string): Promise<void> => writeFile(source, text);
  const original = await readFile(source, 'utf8');
  stage.title(`a client starts: mcp-dev server.ts   (in ${dirname(source)})`);
  const answer = await stage.step(stage.client.connect(packageVersion()));
  const info = isObject(answer.serverInfo) ? answer.serverInfo : {};
  stage.saw(`connected to "${info.name}", protocol ${answer.protocolVersion}`);
  await stage.showTools();
  await stage.call('greet', { name: 'Ada' });

  stage.title('somebody saves a new tool; the session goes on, and the client is told');
  let changed = stage.listChanged();
  await write(original.replace(PLACE, NEW_TOOL));
  await stage.step(changed);
  await stage.showTools();
  await stage.call('add', { a: 19, b: 23 });

  stage.title('somebody saves a syntax error; the server that works goes on');
  const failed = stage.failedReload();
  await write(original.replace(PLACE, NEW_TOOL + MISTAKE));
  await stage.step(failed);
  await stage.call('add', { a: 20, b: 22 });

  stage.title('the mistake is mended');
  changed = stage.listChanged();
  await write(original.replace(PLACE, NEW_TOOL).replace('Hello', 'Good evening'));
  await stage.step(changed);
  await stage.call('greet', { name: 'Ada' });
  stage.title('one session, four versions of the source, and no restart of the client');
}

/** The server's packages are those of `mcp-dev` itself: nothing has to be installed. */
async function copyServer(folder: string): Promise<void> {
  await cp(join(packageFolder(), 'fixtures', 'demo'), folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{ "name": "demo", "private": true, "type": "module" }\n');
  const require = createRequire(import.meta.url);
  for (const [name, file] of [
    ['@modelcontextprotocol/sdk', '@modelcontextprotocol/sdk/server/mcp.js'],
    ['zod', 'zod'],
  ] as const) {
    const path = require.resolve(file);
    const marker = join('node_modules', ...name.split('/'));
    const target = path.slice(0, path.lastIndexOf(marker) + marker.length);
    const link = join(folder, marker);
    await mkdir(dirname(link), { recursive: true });
    await symlink(target, link, 'junction');
  }
}

/** What the audience sees: the client on the one side, what `mcp-dev` says on the other. */
class Stage {
  readonly client: SmallClient;
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  readonly #waiting = new Set<{ matches(what: string): boolean; resolve(): void }>();

  constructor(folder: string) {
    const program = process.argv[1] as string;
    const child = spawn(process.execPath, [program, '--no-color', '--no-tools', 'server.ts'], {
      cwd: folder,
      stdio: 'pipe',
    });
    this.#child = child;
    this.#exit = once(child, 'exit').then(([code]) => code);
    this.client = new SmallClient({
      send: (line) => void child.stdin.write(Buffer.concat([line.bytes(), Buffer.from('\n')])),
      onNotification: (method) => {
        this.saw(method);
        this.#happened(method);
      },
      rootUri: pathToFileURL(folder).href,
    });
    child.stdout.on('data', (chunk: Buffer) => this.client.receive(chunk));
    child.stdin.on('error', () => {});
    const stderr = new LineSplitter({ line: (line) => this.#heard(line), overflow: () => {} });
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  }

  say(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  title(text: string): void {
    this.say(`\n${kleur.bold(text)}`);
  }

  saw(text: string): void {
    this.say(`  ${kleur.cyan('client ')} ${text}`);
  }

  async showTools(): Promise<void> {
    const tools = await this.step(this.client.list('tools/list', 'tools'));
    this.saw(`tools: ${tools.map(({ name }) => name).join(', ')}`);
  }

  async call(name: string, args: JsonObject): Promise<void> {
    const answer = await this.step(this.client.request('tools/call', { name, arguments: args }));
    const content = Array.isArray(answer.content) ? answer.content.filter(isObject) : [];
    const text = content
      .map((block) => String(block.text))
      .join('\n')
      .trimEnd();
    this.saw(`${name}(${JSON.stringify(args)}) → ${text.replaceAll('\n', '\n           ')}`);
  }

  /** The client is told that the tools changed. */
  listChanged(): Promise<void> {
    return this.#until((what) => what === 'notifications/tools/list_changed');
  }

  /** `mcp-dev` says that a reload came to nothing. */
  failedReload(): Promise<void> {
    return this.#until((what) => what.startsWith('mcp-dev the build failed'));
  }

  async step<T>(work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`nothing happened for ${STEP_MS / 1000} s`)), STEP_MS);
    });
    const failed = this.#exit.then((code) => {
      throw new Error(`mcp-dev ended with exit code ${code}`);
    });
    try {
      return await Promise.race([work, timeout, failed]);
    } finally {
      clearTimeout(timer);
    }
  }

  async end(): Promise<void> {
    this.#child.stdin?.end();
    await this.#exit;
  }

  #heard(line: Line): void {
    const text = line.text();
    this.say(`  ${kleur.dim(`mcp-dev ${text.replace(/^mcp-dev /, '')}`)}`);
    this.#happened(text);
  }

  #until(matches: (what: string) => boolean): Promise<void> {
    return new Promise((resolve) => this.#waiting.add({ matches, resolve }));
  }

  #happened(what: string): void {
    for (const waiting of this.#waiting) {
      if (!waiting.matches(what)) continue;
      this.#waiting.delete(waiting);
      waiting.resolve();
    }
  }
}
