import { randomUUID } from 'node:crypto';
import { expect, onTestFinished } from 'vitest';
import { type JsonObject, serverTools, textOf } from '../kit/messages.ts';
import { processesOf } from '../kit/processes.ts';
import { RawClient } from '../kit/raw-client.ts';
import { type TempProject, tempProject } from '../kit/temp-project.ts';

export type Files = Readonly<Record<string, string>>;

/** `serve(name, tools)`, an MCP server that needs no package; a tool is a function of its arguments. */
export const SERVE_MJS = `import { createInterface } from 'node:readline';

export function serve(name, tools) {
  const methods = {
    initialize: ({ protocolVersion }) => ({
      protocolVersion, capabilities: { tools: {} }, serverInfo: { name, version: '1.0.0' },
    }),
    'tools/list': () => ({ tools: Object.keys(tools).map((name) => ({ name, inputSchema: { type: 'object' } })) }),
    'tools/call': (call) => ({ content: [{ type: 'text', text: String(tools[call.name](call.arguments)) }] }),
  };
  createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, method, params } = JSON.parse(line);
    if (id === undefined) return;
    const answer = methods[method];
    const outcome = answer ? { result: answer(params) } : { error: { code: -32601, message: method } };
    process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, ...outcome }) + '\\n');
  });
}
`;

/** A TypeScript program whose one tool, `version`, lies in a file of its own. */
export const PLAIN_TS: Files = {
  'package.json': '{ "name": "plain", "type": "module" }',
  'serve.mjs': SERVE_MJS,
  'server.ts': `import { serve } from './serve.mjs';\nimport { tools } from './tools.ts';\nserve('plain', tools);\n`,
  'tools.ts': toolsText('one'),
};

/** A JavaScript program with the same tool, in one file. */
export const PLAIN_JS: Files = {
  'package.json': '{ "name": "plain", "type": "module" }',
  'server.mjs': plainText('one'),
};

/** `server.mjs` of `PLAIN_JS` with a tool that answers this text. */
export function plainText(version: string): string {
  return `${SERVE_MJS}\nserve('plain', { version: () => '${version}' });\n`;
}

/** `tools.ts` with the one tool `version`, which answers this text. */
export function toolsText(version: string): string {
  return `enum Version { Now = '${version}' }\nexport const tools = { version: (): Version => Version.Now };\n`;
}

export interface LiveOptions {
  /** Where the client starts `mcp-dev`, relative to the project; the project itself by default. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * A project with a real server, and a client that started `mcp-dev` for it. When the test is over, the session
 * is closed like any other, and must have kept its promises: exit code 0, nothing on stdout that is no message,
 * and no process left.
 */
export class Live {
  readonly project: TempProject;
  readonly client: RawClient;
  readonly #mark: string;

  private constructor(project: TempProject, client: RawClient, mark: string) {
    this.project = project;
    this.client = client;
    this.#mark = mark;
  }

  /** Starts `mcp-dev` with these arguments in a project of these files; nothing was sent yet. */
  static start(files: Files, args: readonly string[], options: LiveOptions = {}): Live {
    return Live.startIn(tempProject(files), args, options);
  }

  static startIn(project: TempProject, args: readonly string[], options: LiveOptions = {}): Live {
    const mark = `LIVE_${randomUUID().replaceAll('-', '')}`;
    const client = RawClient.mcpDev(args, {
      cwd: project.path(options.cwd ?? '.'),
      env: { ...options.env, [mark]: '1' },
    });
    const live = new Live(project, client, mark);
    onTestFinished(() => live.#end());
    return live;
  }

  /** The same with the handshake done and the first generation up. */
  static async connect(files: Files, args: readonly string[], options: LiveOptions = {}): Promise<Live> {
    return Live.connectIn(tempProject(files), args, options);
  }

  static async connectIn(
    project: TempProject,
    args: readonly string[],
    options: LiveOptions = {},
  ): Promise<Live> {
    const live = Live.startIn(project, args, options);
    await live.client.initialize();
    await live.tookOver(1);
    return live;
  }

  /** The line that tells of a finished start or reload. */
  tookOver(generation: number): Promise<string> {
    return this.client.stderrLine(new RegExp(`^mcp-dev generation ${generation} (started|took over) `));
  }

  /** The triggers of all finished reloads so far, as their lines name them. */
  get triggers(): string[] {
    return this.client.stderr.all.flatMap((line) => {
      return /^mcp-dev generation \d+ took over \(([^;]*);/.exec(line)?.[1] ?? [];
    });
  }

  /** Saves a file and waits for the generation with it; it must be all that this generation was started for. */
  async reload(generation: number, name: string, text: string): Promise<void> {
    this.project.write(name, text);
    await this.tookOver(generation);
    expect(this.triggers.at(-1)).toBe(name);
  }

  /** What a tool answers: its first text. */
  async call(tool = 'version', args: JsonObject = {}): Promise<string | undefined> {
    return textOf(await this.client.callTool(tool, args));
  }

  async tools(): Promise<string[]> {
    const { tools } = (await this.client.result('tools/list')) as { tools: { name: string }[] };
    return serverTools(tools);
  }

  /** Every process that was started for this session, `mcp-dev` included. */
  get processes(): number[] {
    return processesOf(`${this.#mark}=1`);
  }

  async #end(): Promise<void> {
    const isOver = await Promise.race([this.client.exited, undefined]);
    const exit = await this.client.close();
    // Of a session that was over before, the test has looked at the exit.
    if (isOver === undefined) expect(exit).toEqual({ code: 0, signal: null });
    expect(this.client.garbage).toEqual([]);
    expect(this.processes).toEqual([]);
  }
}
