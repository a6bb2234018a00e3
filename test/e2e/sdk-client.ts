import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  type ServerNotification,
} from '@modelcontextprotocol/sdk/types.js';
import { onTestFinished } from 'vitest';
import { repositoryFile } from '../kit/messages.ts';
import { alive } from '../kit/processes.ts';
import type { TempProject } from '../kit/temp-project.ts';
import { Arrivals, until } from '../kit/wait.ts';

/** The SDK's client in front of `mcp-dev`, started as clients start it. It answers what servers may ask. */
export class SdkClient {
  readonly client: Client;
  /** In the order of their arrival. */
  readonly notifications = new Arrivals<ServerNotification>('the notifications');
  /** The methods of the requests that the server sent. */
  readonly asked: string[] = [];
  /** What the transport complained about, such as a line that is no message. */
  readonly errors: Error[] = [];
  readonly stderr = new Arrivals<string>('stderr of mcp-dev');

  private constructor(client: Client) {
    this.client = client;
  }

  static async connect(project: TempProject, args: readonly string[]): Promise<SdkClient> {
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [repositoryFile('bin/mcp-dev.cjs'), ...args],
      cwd: project.folder,
      stderr: 'pipe',
    });
    const client = new Client(
      { name: 'sdk-client', version: '1.0.0' },
      { capabilities: { elicitation: {}, sampling: {}, roots: { listChanged: true } } },
    );
    const sdk = new SdkClient(client);
    client.fallbackNotificationHandler = async (notification) =>
      sdk.notifications.push(notification as ServerNotification);
    client.onerror = (error) => void sdk.errors.push(error);
    createInterface({ input: transport.stderr as Readable }).on('line', (line) => sdk.stderr.push(line));
    sdk.#answer(project);
    await client.connect(transport);
    const { pid } = transport;
    onTestFinished(async () => {
      await client.close();
      await until(() => pid === null || !alive(pid), 'mcp-dev has ended');
    });
    return sdk;
  }

  /** The pid of `mcp-dev`. */
  get pid(): number {
    return (this.client.transport as StdioClientTransport).pid ?? 0;
  }

  async call(name: string): Promise<string> {
    const { content } = await this.client.callTool({ name, arguments: {} });
    return (content as { text: string }[])[0]?.text ?? '';
  }

  /** The names of all tools, over all pages. */
  async tools(): Promise<string[]> {
    const names: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.client.listTools(cursor === undefined ? {} : { cursor });
      names.push(...page.tools.map(({ name }) => name));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return names;
  }

  /** The position after the first notification at `from` or later with this method, arrived already or not. */
  async notified(method: string, from = 0): Promise<number> {
    return 1 + (await this.notifications.find((one) => one.method === method, method, from));
  }

  async logged(text: string): Promise<void> {
    await this.notifications.find(
      ({ method, params }) => method === 'notifications/message' && params?.data === text,
      `the log message "${text}"`,
    );
  }

  async tookOver(generation: number): Promise<void> {
    const line = new RegExp(`^mcp-dev generation ${generation} (started|took over) `);
    await this.stderr.find((text) => line.test(text), `line like ${line}`);
  }

  #answer(project: TempProject): void {
    this.client.setRequestHandler(ElicitRequestSchema, ({ method }) => {
      this.asked.push(method);
      return { action: 'accept', content: { name: 'Ada' } };
    });
    this.client.setRequestHandler(CreateMessageRequestSchema, ({ method, params }) => {
      this.asked.push(method);
      const [first] = params.messages;
      const heard = first?.content as { text: string };
      return { model: 'none', role: 'assistant', content: { type: 'text', text: `heard "${heard.text}"` } };
    });
    this.client.setRequestHandler(ListRootsRequestSchema, ({ method }) => {
      this.asked.push(method);
      return { roots: [{ uri: `file://${project.folder}` }] };
    });
  }
}
