/** The same server as echo.c, for machines without a C compiler. */
import { writeSync } from 'node:fs';

const TOOLS = { tools: [{ name: 'echo', inputSchema: { type: 'object' } }] };
const HELLO = {
  protocolVersion: '2025-06-18',
  capabilities: { tools: {} },
  serverInfo: { name: 'echo', version: '1.0.0' },
};

let kept = '';
process.stdin.setEncoding('latin1');
process.stdin.on('data', (text) => {
  const lines = (kept + text).split('\n');
  kept = lines.pop();
  const answers = lines.map(answerTo).join('');
  if (answers !== '') writeAll(Buffer.from(answers, 'latin1'));
});

function answerTo(line) {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return '';
  const bytes = params?.arguments?.bytes;
  if (bytes === undefined) {
    const result = method === 'initialize' ? HELLO : method === 'tools/list' ? TOOLS : {};
    return `${JSON.stringify({ result, jsonrpc: '2.0', id })}\n`;
  }
  const [before, after] = ['{"result":{"content":[{"type":"text","text":"', '"}]},"jsonrpc":"2.0","id":'];
  const end = `${after}${JSON.stringify(id)}}\n`;
  return before + 'x'.repeat(bytes - before.length - end.length) + end;
}

/** Waits for the reader, as the write of a C program does. */
function writeAll(bytes) {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}
