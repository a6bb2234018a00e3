import { packageName } from '../package-name.ts';

/** A file of a package, loaded. */
export interface Loaded {
  /** Absolute, without links. */
  readonly path: string;
  readonly exports: object;
}

interface Closable {
  close(): Promise<void>;
}

interface Server extends Closable {
  connect(transport: object): Promise<void>;
  /** Not in a server that is made of handlers for each method, nor in old SDKs. */
  registerTool?(name: string, config: object, run: () => object): void;
}

/** As much of an SDK as a rehearsal needs. */
interface Sdk {
  readonly Server: new (info: object, options: object) => Server;
  readonly StdioServerTransport: new (input: object, output: object) => object;
  /** Only in the second SDK, which speaks both eras. */
  readonly serveStdio: ((make: () => Server, options: object) => Closable) | undefined;
  readonly inputSchema: object | undefined;
}

type Request = readonly [method: string, params: object];

const NAME = 'rehearsal';
const INFO = { name: NAME, version: '1.0.0' };
const GREETING = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: INFO };
/** What each request of the modern era carries (2026-07-28, basic). */
const ENVELOPE = {
  _meta: {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': INFO,
    'io.modelcontextprotocol/clientCapabilities': {},
  },
};
const CALL = { name: NAME, arguments: { text: '' } };

const LEGACY: readonly Request[] = [
  ['initialize', GREETING],
  ['tools/list', {}],
  ['tools/call', CALL],
];
const MODERN: readonly Request[] = [
  ['server/discover', ENVELOPE],
  ['tools/list', ENVELOPE],
  ['tools/call', { ...CALL, ...ENVELOPE }],
];

/**
 * Lets the MCP SDKs among the packages serve a client once, in memory, with a server that is nobody's. Most of what an
 * SDK does between its start and its first list is done once for all servers of a process: it makes the schemas of the
 * messages, and node compiles what is called for the first time. It takes longer than to load what the user wrote.
 *
 * Nothing of it stays but what an SDK keeps for itself. Rejects, or never settles, when an SDK is not what it is taken
 * for: then it is not known what is left behind, and the process is of no use.
 */
export async function rehearse(packages: readonly Loaded[]): Promise<void> {
  const sdks = [firstSdk(packages), secondSdk(packages)].filter((sdk) => sdk !== undefined);
  for (const sdk of sdks) {
    await perform(sdk, LEGACY);
    if (sdk.serveStdio !== undefined) await perform(sdk, MODERN);
  }
  // It would else be done in the middle of the server's start, which it would double.
  if (sdks.length > 0) await collectGarbage();
}

function firstSdk(packages: readonly Loaded[]): Sdk | undefined {
  const find = finder(packages, '@modelcontextprotocol/sdk');
  const Server = find('McpServer') ?? find('Server');
  const StdioServerTransport = find('StdioServerTransport');
  if (Server === undefined || StdioServerTransport === undefined) return undefined;
  const inputSchema = shape(packages);
  return { Server, StdioServerTransport, serveStdio: undefined, inputSchema } as Sdk;
}

function secondSdk(packages: readonly Loaded[]): Sdk | undefined {
  const find = finder(packages, '@modelcontextprotocol/server');
  const Server = find('McpServer');
  const StdioServerTransport = find('StdioServerTransport');
  const serveStdio = find('serveStdio');
  if (Server === undefined || StdioServerTransport === undefined) return undefined;
  const inputSchema = objectSchema(packages);
  return { Server, StdioServerTransport, serveStdio, inputSchema } as Sdk;
}

/** Finds what a package exports, in whichever of its files. */
function finder(packages: readonly Loaded[], name: string): (member: string) => unknown {
  const files = packages.filter(({ path }) => packageName(path) === name);
  return (member) => {
    for (const { exports } of files) if (member in exports) return Reflect.get(exports, member);
    return undefined;
  };
}

interface Zod {
  string(): object;
  object(shape: object): { readonly '~standard'?: { readonly jsonSchema?: unknown } };
}

function shape(packages: readonly Loaded[]): object | undefined {
  const z = finder(packages, 'zod')('z') as Zod | undefined;
  return z && { text: z.string() };
}

function objectSchema(packages: readonly Loaded[]): object | undefined {
  const z = finder(packages, 'zod')('z') as Zod | undefined;
  const schema = z?.object({ text: z.string() });
  // Of an older zod the SDK says once that it is too old: that is to be said to the user's server.
  return schema?.['~standard']?.jsonSchema === undefined ? undefined : schema;
}

async function perform(sdk: Sdk, requests: readonly Request[]): Promise<void> {
  const { PassThrough } = await import('node:stream');
  const { createInterface } = await import('node:readline');
  const input = new PassThrough();
  const output = new PassThrough();
  const served = await serve(sdk, new sdk.StdioServerTransport(input, output));
  const lines = createInterface({ input: output });
  const said = lines[Symbol.asyncIterator]();
  for (const [id, [method, params]] of requests.entries()) {
    input.write(`${JSON.stringify({ method, params, jsonrpc: '2.0', id })}\n`);
    for (let answer: unknown; answer !== id; ) answer = JSON.parse((await said.next()).value).id;
    if (method === 'initialize') input.write('{"method":"notifications/initialized","jsonrpc":"2.0"}\n');
  }
  await served.close();
  lines.close();
}

async function serve(sdk: Sdk, transport: object): Promise<Closable> {
  if (sdk.serveStdio !== undefined) return sdk.serveStdio(() => makeServer(sdk), { transport });
  const server = makeServer(sdk);
  await server.connect(transport);
  return server;
}

function makeServer({ Server, inputSchema }: Sdk): Server {
  const server = new Server(INFO, { capabilities: { tools: {} } });
  const config = inputSchema === undefined ? {} : { inputSchema };
  server.registerTool?.(NAME, config, () => ({ content: [{ type: 'text', text: '' }] }));
  return server;
}

async function collectGarbage(): Promise<void> {
  const { Session } = await import('node:inspector');
  const session = new Session();
  session.connect();
  await new Promise<void>((resolve, reject) => {
    session.post('HeapProfiler.collectGarbage', (error) => (error === null ? resolve() : reject(error)));
  });
  session.disconnect();
}
