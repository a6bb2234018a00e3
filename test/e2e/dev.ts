import { existsSync } from 'node:fs';
import { expect, onTestFinished } from 'vitest';
import { repositoryFile, serverTools } from '../kit/messages.ts';
import { PUPPET, type Puppet, PuppetHub } from '../kit/puppet-hub.ts';
import { RawClient } from '../kit/raw-client.ts';
import { type TempProject, tempProject } from '../kit/temp-project.ts';
import { until } from '../kit/wait.ts';

export interface DevOptions {
  /** Options of `mcp-dev`; the command is the puppet's, unless `launch` says otherwise. */
  readonly args?: readonly string[];
  /** All that comes after the options. */
  readonly launch?: readonly string[];
  /** What the first generation is like; see `fixtures/puppet/config.mjs`. */
  readonly puppet?: object;
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A command that starts the one which follows it. */
  readonly wrapper?: readonly string[];
}

/**
 * A build that says when it runs, by the file `running`, and goes on as soon as there is no file `wait`. What
 * requests come in between find a change that is seen and not served.
 */
export const GATED_BUILD = 'touch running; while [ -e wait ]; do sleep 0.05; done; rm -f running';

/** A project whose server is a puppet, and a client that started `mcp-dev` in it. */
export class Dev {
  readonly project: TempProject;
  readonly hub: PuppetHub;
  readonly client: RawClient;
  /** Starts the same command again, for another client. */
  readonly another: () => RawClient;
  /** The puppet's program. */
  static readonly puppetFile = PUPPET[1];
  #saves = 0;

  private constructor(project: TempProject, hub: PuppetHub, start: () => RawClient) {
    this.project = project;
    this.hub = hub;
    this.another = start;
    this.client = start();
  }

  /** Starts `mcp-dev`; nothing was sent yet. */
  static async start(options: DevOptions = {}): Promise<Dev> {
    const {
      args = [],
      launch = ['--', process.execPath, 'server.mjs'],
      puppet = {},
      files,
      env,
      wrapper = [],
    } = options;
    const project = tempProject({
      'package.json': '{ "name": "puppet-project", "type": "module" }',
      'server.mjs': `await import(${JSON.stringify(PUPPET[1])});\n`,
      'puppet.json': JSON.stringify(puppet),
      'src/a.js': '0',
      'src/b.js': '0',
      ...files,
    });
    const hub = await PuppetHub.open();
    const mcpDev = [process.execPath, repositoryFile('bin/mcp-dev.cjs')];
    const start = (): RawClient =>
      RawClient.start([...wrapper, ...mcpDev, ...args, ...launch], {
        cwd: project.folder,
        env: { ...hub.env(project.path('puppet.json')), ...env },
      });
    const dev = new Dev(project, hub, start);
    onTestFinished(() => {
      // Whatever a test is about: no server saw what no client does, and no client what is no message.
      expect(hub.puppets.all.flatMap(({ violations }) => violations)).toEqual([]);
      expect(dev.client.garbage).toEqual([]);
    });
    return dev;
  }

  /** The same with the handshake done and the first generation up. */
  static async connect(options: DevOptions = {}): Promise<Dev> {
    const dev = await Dev.start(options);
    await dev.client.initialize();
    await dev.puppet(1);
    return dev;
  }

  /** A session of 2026-07-28 with the first generation up; the first message is a `tools/list`, after no discovery. */
  static async connectModern(options: DevOptions = {}): Promise<Dev> {
    const dev = await Dev.start({ ...options, puppet: { eras: ['modern'], ...options.puppet } });
    dev.client.speakModern();
    await dev.client.result('tools/list');
    await dev.puppet(1);
    return dev;
  }

  /** The nth process that was started, from 1. */
  puppet(n: number): Promise<Puppet> {
    return this.hub.next(n);
  }

  /** How many processes were started so far. */
  get started(): number {
    return this.hub.puppets.all.length;
  }

  /** Fails unless exactly so many processes were started. Each of them says so itself, which may be heard late. */
  async expectStarted(count: number): Promise<void> {
    await this.puppet(count);
    expect(this.started).toBe(count);
  }

  /** Saves a source file with a content that it never had; no server reads it. */
  save(name = 'src/a.js'): void {
    this.#saves += 1;
    this.project.write(name, `save ${this.#saves}`);
  }

  /** Saves how the next generation behaves: a change of the source like any other. */
  saveServer(puppet: object): void {
    this.project.write('puppet.json', JSON.stringify(puppet));
  }

  /** Saves and answers when the gated build runs; it ends with `openGate`. */
  async saveAndBuild(name?: string, text?: string): Promise<void> {
    this.project.write('wait', '');
    if (name !== undefined && text !== undefined) this.project.write(name, text);
    else this.save(name);
    await until(() => existsSync(this.project.path('running')), 'the build runs');
  }

  openGate(): void {
    this.project.remove('wait');
  }

  /** The line that tells of a finished reload. */
  tookOver(generation: number): Promise<string> {
    return this.client.stderrLine(new RegExp(`^mcp-dev generation ${generation} (took over|started)`));
  }

  /** Saves, and waits for the generation with it. */
  async reload(generation: number, name?: string): Promise<Puppet> {
    this.save(name);
    await this.tookOver(generation);
    // It may have answered before its own word reached us.
    const { puppets } = this.hub;
    const at = await puppets.find((one) => one.started.generation === String(generation), `${generation}`);
    return puppets.all[at] as Puppet;
  }

  /** The names of the server's own tools, on the first page of its list. */
  async tools(client = this.client): Promise<string[]> {
    const { tools } = (await client.result('tools/list')) as { tools: { name: string }[] };
    return serverTools(tools);
  }

  /** The generation that answers a call: `echo` of the puppet tells it. */
  async serving(): Promise<number> {
    const result = await this.client.callTool('echo', { text: '' });
    const [first] = result.content as readonly { readonly text: string }[];
    return Number(first?.text.replace(' @', ''));
  }
}
