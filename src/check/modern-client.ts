import type { MakeClient } from './official-client.ts';

/** The first version of the era; the client asks for no other. */
const MODERN_VERSION = '2026-07-28';

/** Loads the client of `@modelcontextprotocol/client` 2.x, which speaks no version with `initialize` here. */
export async function loadModernClient(): Promise<MakeClient> {
  const { Client } = await import('@modelcontextprotocol/client');
  return (version) => {
    const client = new Client(
      { name: 'mcp-dev check', version },
      { versionNegotiation: { mode: { pin: MODERN_VERSION } } },
    );
    return {
      era: 'modern',
      handshake: 'server/discover',
      async connect(transport, bounds) {
        await client.connect(transport, bounds);
        const server = client.getServerVersion();
        return {
          protocolVersion: MODERN_VERSION,
          name: server && `${server.name} ${server.version}`,
          capabilities: { ...client.getServerCapabilities() },
        };
      },
      async list(method, cursor, bounds) {
        await client.request({ method, params: cursor === undefined ? {} : { cursor } }, bounds);
      },
      async callTool(name, args, bounds) {
        await client.request({ method: 'tools/call', params: { name, arguments: args } }, bounds);
      },
      ping: undefined,
      close: () => client.close(),
    };
  };
}
