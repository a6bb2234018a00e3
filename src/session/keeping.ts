import type { ClientRequest, State } from './state.ts';

/** A chunk is worth keeping as a whole when the requests in it make up so much of it. */
const WORTH = 1 / 4;

/**
 * Sees to it that an open request keeps no more in memory than itself. It is a window on the chunk that it came in, to
 * copy it would cost more than all else, and mostly the chunk is full of such requests. Where it is not, they are
 * copied, once the chunk is read to its end.
 */
export function keepLean(state: State, request: ClientRequest): void {
  const [first] = state.newcomers;
  if (first !== undefined && first.line.first !== request.line.first) {
    const chunk = first.line.first.buffer.byteLength;
    let bytes = 0;
    for (const { line } of state.newcomers) bytes += line.length;
    if (bytes < chunk * WORTH) for (const newcomer of state.newcomers) newcomer.line = newcomer.line.alone();
    state.newcomers = [];
  }
  state.newcomers.push(request);
}
