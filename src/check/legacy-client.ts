import { pathToFileURL } from 'node:url';
import type { ListMethod } from '../session/catalogue.ts';
import type { JsonObject } from '../wire/message.ts';
import type { MakeClient } from './official-client.ts';

/** Loads the client of `@modelcontextprotocol/sdk` 1.x. It tells of one root: the folder. */
export async function loadLegacyClient(): Promise<MakeClient> {
  const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
  const types = await import('@modelcontextprotocol/sdk/types.js');
  const lists = {
    'tools/list': types.ListToolsResultSchema,
    'prompts/list': types.ListPromptsResultSchema,
    'resources/list': types.ListResourcesResultSchema,
    'resources/templates/list': types.ListResourceTemplatesResultSchema,
  } as const;

  return (version, folder) => {
    const client = new Client({ name: 'mcp-dev check', version }, { capabilities: { roots: {} } });
    client.setRequestHandler(types.ListRootsRequestSchema, () => ({
      roots: [{ uri: pathToFileURL(folder).href, name: 'project' }],
    }));
    return {
      era: 'legacy',
      handshake: 'initialize',
      async connect(transport, bounds) {
        await client.connect(transport, bounds);
        const server = client.getServerVersion();
        const answer = transport.last('initialize')?.response?.result as JsonObject | undefined;
        return {
          protocolVersion: String(answer?.protocolVersion),
          name: server && `${server.name} ${server.version}`,
          capabilities: { ...client.getServerCapabilities() },
        };
      },
      async list(method: ListMethod, cursor, bounds) {
        const params = cursor === undefined ? {} : { cursor };
        await client.request({ method, params }, lists[method], bounds);
      },
      async callTool(name, args, bounds) {
        const params = { name, arguments: args };
        await client.request({ method: 'tools/call', params }, types.CallToolResultSchema, bounds);
      },
      async ping(bounds) {
        await client.ping(bounds);
      },
      close: () => client.close(),
    };
  };
}
