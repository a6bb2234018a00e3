import { Client, type McpSubscription, type VersionNegotiationMode } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
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

/** Nothing but 2026-07-28; the other modes are 'auto' and 'legacy'. */
export const PINNED = { pin: '2026-07-28' } as const;

/** How one `subscriptions/listen` ended; 'graceful' is the server's own, proper end of it. */
export type Closing = Awaited<McpSubscription['closed']>;

/**
 * The client of the SDK 2.x. Before it starts the process it talks to, the modes 'auto' and `PINNED` start
 * another one of the same command, ask that for `server/discover` and end it. In the modern era it listens for all
 * changes of lists from the start, and asks each call for its log messages.
 */
export class Sdk2Client extends OfficialClient {
  override readonly client: Client;
  /** The open subscriptions, and those that ended, in the order of their begin. */
  readonly subscriptions: McpSubscription[] = [];
  /** In the order in which they ended. */
  readonly closings: Closing[] = [];

  private constructor(client: Client) {
    super();
    this.client = client;
  }

  /** In front of `mcp-dev` with these arguments. */
  static connect(
    project: TempProject,
    args: readonly string[],
    mode: VersionNegotiationMode,
  ): Promise<Sdk2Client> {
    return Sdk2Client.connectTo(throughMcpDev(project, args), mode);
  }

  static async connectTo(launch: Launch, mode: VersionNegotiationMode): Promise<Sdk2Client> {
    const transport = new StdioClientTransport(launch);
    const client = new Client(
      { name: 'sdk2-client', version: '1.0.0' },
      { capabilities: { elicitation: {} }, versionNegotiation: { mode } },
    );
    const sdk = new Sdk2Client(client);
    client.fallbackNotificationHandler = async (notification) =>
      sdk.notifications.push(notification as Message);
    client.onerror = (error) => void sdk.errors.push(error);
    client.setRequestHandler('elicitation/create', ({ method }) => {
      sdk.asked.push(method);
      return { action: 'accept', content: { name: 'Ada' } };
    });
    sdk.readStderr(transport.stderr);
    await client.connect(transport);
    sdk.closeAfterTest();
    if (sdk.era === 'modern')
      await sdk.#listen({ toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true });
    return sdk;
  }

  get era(): Era {
    return this.client.getProtocolEra() ?? 'legacy';
  }

  get pid(): number {
    return (this.client.transport as StdioClientTransport).pid ?? 0;
  }

  async call(name: string, args: JsonObject = {}, options: CallOptions = {}): Promise<string> {
    return textOf(await this.result(name, args, options)) ?? '';
  }

  async result(name: string, args: JsonObject = {}, options: CallOptions = {}): Promise<ToolResult> {
    const meta = this.era === 'modern' ? { _meta: { 'io.modelcontextprotocol/logLevel': 'debug' } } : {};
    return (await this.client.callTool({ name, arguments: args, ...meta }, options)) as ToolResult;
  }

  async listed(): Promise<readonly Tool[]> {
    return (await this.client.listTools()).tools as readonly Tool[];
  }

  async subscribe(uri: string): Promise<void> {
    if (this.era === 'modern') await this.#listen({ resourceSubscriptions: [uri] });
    else await this.client.subscribeResource({ uri });
  }

  async #listen(filter: Parameters<Client['listen']>[0]): Promise<void> {
    const subscription = await this.client.listen(filter);
    this.subscriptions.push(subscription);
    void subscription.closed.then((closing) => this.closings.push(closing));
  }
}
