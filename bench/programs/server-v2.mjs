/** The same as server-v1.mjs on the SDK 2.x. */
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';
import { NEWEST } from './newest.js';

serveStdio(() => {
  const server = new McpServer({ name: 'bench', version: '1.0.0' });
  server.registerTool(
    'echo',
    { description: 'Gives the text back.', inputSchema: z.object({ text: z.string() }) },
    ({ text }) => ({ content: [{ type: 'text', text: `${text} @${NEWEST}` }] }),
  );
  server.registerTool(
    'add',
    { description: 'Adds.', inputSchema: z.object({ a: z.number(), b: z.number() }) },
    ({ a, b }) => ({ content: [{ type: 'text', text: String(a + b) }] }),
  );
  server.registerTool(
    NEWEST,
    { description: 'Is new.', inputSchema: z.object({ text: z.string().optional() }) },
    () => ({ content: [{ type: 'text', text: NEWEST }] }),
  );
  return server;
});
