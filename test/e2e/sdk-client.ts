import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { type JsonObject, type Message, textOf } from '../kit/messages.ts';
import type { TempProject } from '../kit/temp-project.ts';
import {
  type CallOptions,
  type Era,
  type Launch,
  OfficialClient,
  type Tool,
  type ToolResult,
  throughMcpDev,
} from './official-client.ts';

/** The client of the SDK 1.x, started as clients start it. It answers what servers may ask. */
export class SdkClient extends OfficialClient {
  override readonly client: Client;

  private constructor(client: Client) {
    super();
    this.client = client;
  }

  /** In front of `mcp-dev` with these arguments. */
  static connect(project: TempProject, args: readonly string[]): Promise<SdkClient> {
    return SdkClient.connectTo(throughMcpDev(project, args));
  }

  static async connectTo(launch: Launch): Promise<SdkClient> {
    const transport = new StdioClientTransport(launch);
    const client = new Client(
      { name: 'sdk-client', version: '1.0.0' },
      { capabilities: { elicitation: {}, sampling: {}, roots: { listChanged: true } } },
    );
    const sdk = new SdkClient(client);
    client.fallbackNotificationHandler = async (notification) =>
      sdk.notifications.push(notification as Message);
    client.onerror = (error) => void sdk.errors.push(error);
    sdk.readStderr(transport.stderr);
    sdk.#answer(launch.cwd);
    await client.connect(transport);
    sdk.closeAfterTest();
    return sdk;
  }

  get era(): Era {
    return 'legacy';
  }

  get pid(): number {
    return (this.client.transport as StdioClientTransport).pid ?? 0;
  }

  async call(name: string, args: JsonObject = {}, options: CallOptions = {}): Promise<string> {
    return textOf(await this.result(name, args, options)) ?? '';
  }

  async result(name: string, args: JsonObject = {}, options: CallOptions = {}): Promise<ToolResult> {
    return (await this.client.callTool({ name, arguments: args }, undefined, options)) as ToolResult;
  }

  async listed(): Promise<readonly Tool[]> {
    const tools: Tool[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.client.listTools(cursor === undefined ? {} : { cursor });
      tools.push(...(page.tools as Tool[]));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return tools;
  }

  async subscribe(uri: string): Promise<void> {
    await this.client.subscribeResource({ uri });
  }

  #answer(folder: string): void {
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
      return { roots: [{ uri: `file://${folder}` }] };
    });
  }
}
