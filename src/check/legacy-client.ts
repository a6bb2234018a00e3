import type { ListMethod } from '../session/catalogue.ts';
import type { JsonObject } from '../wire/message.ts';
import type { MakeClient } from './official-client.ts';

/**
 * Loads the client of `@modelcontextprotocol/sdk` 1.x. It has no capabilities: nobody is there to be asked,
 * and a server that waits for an answer while its stdin is closed would be judged by chance.
 */
export async function loadLegacyClient(): Promise<MakeClient> {
  const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
  const types = await import('@modelcontextprotocol/sdk/types.js');
  const lists = {
    'tools/list': types.ListToolsResultSchema,
    'prompts/list': types.ListPromptsResultSchema,
    'resources/list': types.ListResourcesResultSchema,
    'resources/templates/list': types.ListResourceTemplatesResultSchema,
  } as const;

  return (version) => {
    const client = new Client({ name: 'mcp-dev check', version });
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
