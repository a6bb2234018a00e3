import { isObject, type JsonObject } from '../wire/message.ts';
import type { ClientRequest, State } from './state.ts';

/** A request that just came, with what is known of it. */
export function newRequest({
  id,
  method,
  line,
  batch,
  call,
}: Pick<ClientRequest, 'id' | 'method' | 'line' | 'batch'> & { readonly call?: number }): ClientRequest {
  return {
    id,
    method,
    line,
    batch,
    call,
    earlier: undefined,
    later: undefined,
    peer: undefined,
    stale: undefined,
    interrupted: undefined,
    token: undefined,
    progress: undefined,
    floor: undefined,
    exchanged: false,
    indirect: false,
  };
}

/** The parameters of a request; empty where it has none, or where it is no JSON: the server is to complain. */
export function paramsOf(request: ClientRequest): JsonObject {
  const message = request.line.parse();
  return isObject(message) && isObject(message.params) ? message.params : {};
}

/** What a call asks for: the tool's name, or `undefined` for anything but a call. */
export function calledTool(request: ClientRequest): string | undefined {
  if (request.method !== 'tools/call') return undefined;
  const { name } = paramsOf(request);
  return typeof name === 'string' ? name : undefined;
}

/** Notes what a successful request did to the state of the session. */
export function rememberEffect(state: State, request: ClientRequest): void {
  switch (request.method) {
    case 'logging/setLevel': {
      const { level } = paramsOf(request);
      if (typeof level === 'string') state.level = level;
      return;
    }
    case 'resources/subscribe': {
      const { uri } = paramsOf(request);
      if (typeof uri === 'string') state.subscribed.add(uri);
      return;
    }
    case 'resources/unsubscribe': {
      const { uri } = paramsOf(request);
      if (typeof uri === 'string') state.subscribed.delete(uri);
      return;
    }
  }
}
