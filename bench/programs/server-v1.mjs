/** A server on the SDK 1.x with three tools, as JavaScript and as TypeScript; one is named by a file that is saved. */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { z } from 'zod';
import { NEWEST } from './newest.js';

const server = new McpServer({ name: 'bench', version: '1.0.0' });

server.registerTool(
  'echo',
  { description: 'Gives the text back.', inputSchema: { text: z.string() } },
  ({ text }) => ({
    content: [{ type: 'text', text: `${text} @${NEWEST}` }],
  }),
);
server.registerTool(
  'add',
  { description: 'Adds.', inputSchema: { a: z.number(), b: z.number() } },
  ({ a, b }) => ({
    content: [{ type: 'text', text: String(a + b) }],
  }),
);
server.registerTool(NEWEST, { description: 'Is new.', inputSchema: { text: z.string().optional() } }, () => ({
  content: [{ type: 'text', text: NEWEST }],
}));

await server.connect(new StdioServerTransport());
