import { PUPPET, type Puppet, PuppetHub } from '../kit/puppet-hub.ts';
import { RawClient } from '../kit/raw-client.ts';
import { type TempProject, tempProject } from '../kit/temp-project.ts';

export interface DevOptions {
  /** Options of `mcp-dev`; the command is the puppet's, unless `launch` says otherwise. */
  readonly args?: readonly string[];
  /** All that comes after the options. */
  readonly launch?: readonly string[];
  /** What the first generation is like; see `fixtures/puppet/config.mjs`. */
  readonly puppet?: object;
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A project whose server is a puppet, and a client that started `mcp-dev` in it. */
export class Dev {
  readonly project: TempProject;
  readonly hub: PuppetHub;
  readonly client: RawClient;
  #saves = 0;

  private constructor(project: TempProject, hub: PuppetHub, client: RawClient) {
    this.project = project;
    this.hub = hub;
    this.client = client;
  }

  /** Starts `mcp-dev`; nothing was sent yet. */
  static async start(options: DevOptions = {}): Promise<Dev> {
    const { args = [], launch = ['--', process.execPath, 'server.mjs'], puppet = {}, files, env } = options;
    const project = tempProject({
      'package.json': '{ "name": "puppet-project", "type": "module" }',
      'server.mjs': `await import(${JSON.stringify(PUPPET[1])});\n`,
      'puppet.json': JSON.stringify(puppet),
      'src/a.js': '0',
      'src/b.js': '0',
      ...files,
    });
    const hub = await PuppetHub.open();
    const client = RawClient.mcpDev([...args, ...launch], {
      cwd: project.folder,
      env: { ...hub.env(project.path('puppet.json')), ...env },
    });
    return new Dev(project, hub, client);
  }

  /** The same with the handshake done and the first generation up. */
  static async connect(options: DevOptions = {}): Promise<Dev> {
    const dev = await Dev.start(options);
    await dev.client.initialize();
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

  /** Saves a source file with a content that it never had; no server reads it. */
  save(name = 'src/a.js'): void {
    this.#saves += 1;
    this.project.write(name, `save ${this.#saves}`);
  }

  /** Saves how the next generation behaves: a change of the source like any other. */
  saveServer(puppet: object): void {
    this.project.write('puppet.json', JSON.stringify(puppet));
  }

  /** The line that tells of a finished reload. */
  tookOver(generation: number): Promise<string> {
    return this.client.stderrLine(new RegExp(`^mcp-dev generation ${generation} (took over|started)`));
  }

  /** Saves, and waits for the generation with it. */
  async reload(generation: number, name?: string): Promise<Puppet> {
    this.save(name);
    await this.tookOver(generation);
    return this.puppet(this.started);
  }

  /** The generation that answers a call: `echo` of the puppet tells it. */
  async serving(): Promise<number> {
    const result = await this.client.callTool('echo', { text: '' });
    const [first] = result.content as readonly { readonly text: string }[];
    return Number(first?.text.replace(' @', ''));
  }
}
