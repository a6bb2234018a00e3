/**
 * A server whose tools do harm, as the text of an object of functions. In it `out(data)` writes to stdout, text or
 * bytes, and resolves when the pipe has taken it; `line(message)` is a message as a line. A call is answered when
 * its function has, and all others are meanwhile.
 */
export function harmful(tools: string): Readonly<Record<string, string>> {
  return {
    'package.json': '{ "name": "harmful", "type": "module" }',
    'server.mjs': `import { createInterface } from 'node:readline';
const out = (data) => new Promise((resolve) => process.stdout.write(data, resolve));
const line = (message) => JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n';
const tools = { echo: ({ text }) => text, ${tools} };
const methods = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'harmful', version: '1' },
  }),
  ping: () => ({}),
  'tools/list': () => ({ tools: Object.keys(tools).map((name) => ({ name, inputSchema: { type: 'object' } })) }),
  'tools/call': async ({ name, arguments: args = {} }) => {
    return { content: [{ type: 'text', text: String(await tools[name](args)) }] };
  },
};
createInterface({ input: process.stdin, crlfDelay: Infinity }).on('line', async (text) => {
  const { id, method, params } = JSON.parse(text);
  if (id === undefined || method === undefined) return;
  await out(line({ id, result: await methods[method](params) }));
});
`,
  };
}

export const START_HARMFUL = ['--', process.execPath, 'server.mjs'];

/** Far above what a measurement varies by, far below what was sent. */
export const MOST_GROWTH_MB = 200;
