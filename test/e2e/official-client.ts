import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { onTestFinished } from 'vitest';
import { type JsonObject, type Message, repositoryFile, serverTools } from '../kit/messages.ts';
import { alive } from '../kit/processes.ts';
import type { TempProject } from '../kit/temp-project.ts';
import { Arrivals, until } from '../kit/wait.ts';

/** `legacy`: the session began with `initialize`. */
export type Era = 'legacy' | 'modern';

/** How a client starts its server. */
export interface Launch {
  readonly command: string;
  readonly args: string[];
  readonly cwd: string;
  readonly stderr: 'pipe';
}

/** `mcp-dev` with these arguments, in the project's folder. */
export function throughMcpDev(project: TempProject, args: readonly string[]): Launch {
  return directly(project, [repositoryFile('bin/mcp-dev.cjs'), ...args]);
}

/** node with these arguments, in the project's folder: the server itself, with nothing in between. */
export function directly(project: TempProject, args: readonly string[]): Launch {
  return { command: process.execPath, args: [...args], cwd: project.folder, stderr: 'pipe' };
}

/** A tool as it is listed. */
export type Tool = JsonObject & { readonly name: string };

/** What a call of a tool gives. */
export type ToolResult = JsonObject & {
  readonly isError?: boolean;
  readonly structuredContent?: JsonObject;
};

export interface CallOptions {
  readonly onprogress?: (update: { readonly progress: number }) => void;
  readonly signal?: AbortSignal;
}

/** The part of the SDKs' clients that is the same in each of them. */
export interface CommonClient {
  listPrompts(): Promise<{ prompts: { name: string }[] }>;
  listResources(): Promise<{ resources: { uri: string }[] }>;
  listResourceTemplates(): Promise<{ resourceTemplates: { uriTemplate: string }[] }>;
  readResource(params: { uri: string }): Promise<{ contents: { uri: string }[] }>;
  getPrompt(params: { name: string; arguments: Record<string, string> }): Promise<{
    messages: { content: object }[];
  }>;
  complete(params: {
    ref: { type: 'ref/prompt'; name: string };
    argument: { name: string; value: string };
  }): Promise<{ completion: { values: string[] } }>;
  setLoggingLevel(level: 'info'): Promise<unknown>;
  close(): Promise<void>;
}

/** What the clients of the SDKs have in common, so that one test can be run with each of them. */
export abstract class OfficialClient {
  abstract readonly client: CommonClient;
  /** In the order of their arrival. */
  readonly notifications = new Arrivals<Message>('the notifications');
  /** The methods of the requests that the server sent, or put into an `input_required` result. */
  readonly asked: string[] = [];
  /** What the SDK complained about, such as a line that is no message. */
  readonly errors: Error[] = [];
  /** Lines of the process that the client started. */
  readonly stderr = new Arrivals<string>('stderr of mcp-dev');

  abstract get era(): Era;

  /** The pid of the process that the client started and talks to. */
  abstract get pid(): number;

  /** The first text of a tool's result. */
  abstract call(name: string, args?: JsonObject, options?: CallOptions): Promise<string>;
  /** The whole result; where the tool has an output schema, and the list was read, the SDK has checked it. */
  abstract result(name: string, args?: JsonObject, options?: CallOptions): Promise<ToolResult>;
  /** All tools, over all pages. */
  abstract listed(): Promise<readonly Tool[]>;
  /** From now on, `notifications/resources/updated` come for this resource. */
  abstract subscribe(uri: string): Promise<void>;

  /** The names of the server's own tools. */
  async tools(): Promise<string[]> {
    return serverTools(await this.listed());
  }

  async prompts(): Promise<string[]> {
    return (await this.client.listPrompts()).prompts.map(({ name }) => name);
  }

  async resources(): Promise<string[]> {
    return (await this.client.listResources()).resources.map(({ uri }) => uri);
  }

  async templates(): Promise<string[]> {
    return (await this.client.listResourceTemplates()).resourceTemplates.map((one) => one.uriTemplate);
  }

  /** The text of a resource. */
  async read(uri: string): Promise<string> {
    const { contents } = await this.client.readResource({ uri });
    return (contents as { uri: string; text?: string }[])[0]?.text ?? '';
  }

  /** The text of a prompt's first message. */
  async prompt(name: string, args: Record<string, string>): Promise<string> {
    const { messages } = await this.client.getPrompt({ name, arguments: args });
    return (messages[0]?.content as { text?: string } | undefined)?.text ?? '';
  }

  /** The values for an argument of a prompt that begins like this. */
  async complete(prompt: string, argument: string, begin: string): Promise<string[]> {
    const ref = { type: 'ref/prompt', name: prompt } as const;
    const { completion } = await this.client.complete({ ref, argument: { name: argument, value: begin } });
    return completion.values;
  }

  /** The position after the first notification at `from` or later with this method, arrived already or not. */
  async notified(method: string, from = 0): Promise<number> {
    return 1 + (await this.notifications.find((one) => one.method === method, method, from));
  }

  /** From now on the log messages of this level come; only the legacy era has that. */
  async setLevel(level: 'info'): Promise<void> {
    await this.client.setLoggingLevel(level);
  }

  async logged(text: string): Promise<void> {
    await this.notifications.find(
      ({ method, params }) => method === 'notifications/message' && params?.data === text,
      `the log message "${text}"`,
    );
  }

  async tookOver(generation: number): Promise<void> {
    await this.stderrLine(new RegExp(`^mcp-dev generation ${generation} (started|took over) `));
  }

  /** The first line of stderr that matches, whether it came already or comes. */
  async stderrLine(pattern: RegExp): Promise<string> {
    const at = await this.stderr.find((line) => pattern.test(line), `line like ${pattern}`);
    return this.stderr.all[at] as string;
  }

  protected readStderr(stream: unknown): void {
    createInterface({ input: stream as Readable }).on('line', (line) => this.stderr.push(line));
  }

  /** Closes the client when the test is over, and waits for its process to be gone. */
  protected closeAfterTest(): void {
    const { pid } = this;
    onTestFinished(async () => {
      await this.client.close();
      await until(() => !alive(pid), 'what the client started has ended');
    });
  }
}
