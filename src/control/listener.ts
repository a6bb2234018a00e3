import { createServer, type Socket } from 'node:net';
import { type Line, LineSplitter } from '../wire/line.ts';
import { answer, type Caller, type Subject } from './answering.ts';
import { readAsk } from './protocol.ts';

/** Whoever connects has so many ms to say what for, and as many to leave when it has its answer. */
const PATIENCE_MS = 5000;
/** Nobody asks for something with more bytes. */
const LONGEST_ASK = 16 * 1024 * 1024;
/** Whoever leaves so many bytes of replies unread gets no more. */
const MOST_WAITING = 64 * 1024 * 1024;
const MOST_CALLERS = 256;

/** A socket on which other processes of this user reach us. */
export interface Listener {
  /** Lets nobody in any more, and removes the socket, in this very call. Who is there already may stay. */
  close(): void;
}

/** Listens there. Rejects with the system's error if that can't be done. */
export function listen(address: string, subject: Subject): Promise<Listener> {
  const server = createServer((socket) => serve(socket, subject));
  server.maxConnections = MOST_CALLERS;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, () => {
      server.off('error', reject);
      // One that could not be let in tries again, or gives up: the session has nothing to do with it.
      server.on('error', () => {});
      server.unref();
      resolve({ close: () => void server.close() });
    });
  });
}

/** Hears one connection out. Whatever comes from there must not harm the session. */
function serve(socket: Socket, subject: Subject): void {
  let heard = false;
  const caller = callerOn(socket);
  const late = setTimeout(() => socket.destroy(), PATIENCE_MS).unref();
  caller.onGone(() => clearTimeout(late));
  const refuse = (why: string): void => {
    caller.reply({ reply: 'refused', why });
    caller.end();
  };
  const hear = (line: Line): void => {
    // One thing is asked for; what follows it is not read.
    if (heard) return;
    stopListening();
    const ask = readAsk(line.parse());
    if (typeof ask === 'string') refuse(ask);
    else answer(subject, ask, caller);
  };
  const splitter = new LineSplitter(
    {
      line: hear,
      overflow: (limit) => {
        stopListening();
        refuse(`what is asked for is longer than ${limit} bytes`);
      },
    },
    LONGEST_ASK,
  );
  const read = (chunk: Buffer): void => splitter.push(chunk);
  const stopListening = (): void => {
    heard = true;
    clearTimeout(late);
    socket.off('data', read);
    // Without a reader its end would not be seen.
    socket.resume();
  };
  socket.unref();
  socket.on('error', () => socket.destroy());
  socket.on('data', read);
  caller.reply(subject.hello);
}

function callerOn(socket: Socket): Caller {
  return {
    reply(reply) {
      if (socket.destroyed || socket.writableEnded) return;
      if (socket.writableLength > MOST_WAITING) socket.destroy();
      else socket.write(`${JSON.stringify(reply)}\n`);
    },
    end() {
      socket.end();
      socket.setTimeout(PATIENCE_MS, () => socket.destroy());
    },
    onGone: (forget) => void socket.once('close', forget),
  };
}
