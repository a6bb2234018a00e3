import { connect, type Socket } from 'node:net';
import { LineSplitter } from '../wire/line.ts';
import { isObject } from '../wire/message.ts';
import { type Ask, CONTROL_PROTOCOL, type Hello, type Reply } from './protocol.ts';

/** One that is not busy greets at once. */
const GREETING_MS = 2000;

/** What came of the try to reach a running `mcp-dev`. */
export type Reached =
  | { readonly kind: 'hello'; readonly hello: Hello }
  /** Nobody listens there. */
  | { readonly kind: 'nobody'; readonly code: string }
  /** Somebody listens and says nothing, as when the process is suspended. */
  | { readonly kind: 'silent' };

/** Connects for no more than to see who is there. */
export async function greet(address: string): Promise<Reached> {
  const socket = connect(address);
  const late = setTimeout(() => socket.destroy(), GREETING_MS);
  try {
    for await (const reply of replies(socket))
      if (reply.reply === 'hello') return { kind: 'hello', hello: reply };
    return { kind: 'silent' };
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return syscall === 'connect' ? { kind: 'nobody', code } : { kind: 'silent' };
  } finally {
    clearTimeout(late);
    socket.destroy();
  }
}

/**
 * Asks for something, and yields the replies, until the other side ends the connection or the caller has enough.
 * Nothing at all comes from one that is gone.
 */
export async function* converse(address: string, ask: Ask): AsyncGenerator<Exclude<Reply, Hello>> {
  const socket = connect(address);
  try {
    for await (const reply of replies(socket)) {
      if (reply.reply !== 'hello') yield reply;
      else if (reply.protocol === CONTROL_PROTOCOL)
        socket.write(`${JSON.stringify({ protocol: CONTROL_PROTOCOL, ...ask })}\n`);
      else {
        const why = `it is mcp-dev ${reply.version}, which this one cannot talk to: use the same version`;
        yield { reply: 'refused', why };
        return;
      }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  } finally {
    socket.destroy();
  }
}

async function* replies(socket: Socket): AsyncGenerator<Reply> {
  const found: Reply[] = [];
  const splitter = new LineSplitter({
    line: (line) => {
      const reply = line.parse();
      if (isObject(reply) && typeof reply.reply === 'string') found.push(reply as unknown as Reply);
    },
    overflow: () => {},
  });
  for await (const chunk of socket) {
    splitter.push(chunk as Buffer);
    yield* found.splice(0);
  }
}
