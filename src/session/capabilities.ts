import { isObject, type JsonObject } from '../wire/message.ts';
import type { State } from './state.ts';

/** The capabilities that the client is always promised: any save may add the first prompt or resource. */
const PADDED = ['tools', 'prompts', 'resources'] as const;

/**
 * The server's capabilities plus `tools`, `prompts` and `resources` with `listChanged`. Nothing else is added
 * or changed, so that each process of the same server advertises the same.
 */
export function padded(state: State, capabilities: JsonObject): JsonObject {
  return state.settings.transparent ? capabilities : withListChanged(capabilities);
}

/** Capabilities plus those that are always promised. */
export function withListChanged(capabilities: JsonObject): JsonObject {
  const all = { ...capabilities };
  for (const name of PADDED) {
    const own = all[name];
    all[name] = { ...(isObject(own) ? own : {}), listChanged: true };
  }
  return all;
}

/** The capability that a request of the client needs from the server. */
export function capabilityOf(method: string): string | undefined {
  const family = method.slice(0, method.indexOf('/'));
  switch (family) {
    case 'tools':
    case 'prompts':
    case 'resources':
    case 'logging':
      return family;
    case 'completion':
      return 'completions';
    default:
      return undefined;
  }
}

/**
 * What a server without a capability has to say to a request that needs it: the client was promised the
 * capability, so it must not see `-32601` for it. `undefined` where only an error is an honest answer.
 */
export function emptyResult(method: string): JsonObject | undefined {
  switch (method) {
    case 'tools/list':
      return { tools: [] };
    case 'prompts/list':
      return { prompts: [] };
    case 'resources/list':
      return { resources: [] };
    case 'resources/templates/list':
      return { resourceTemplates: [] };
    case 'completion/complete':
      return { completion: { values: [] } };
    case 'logging/setLevel':
      return {};
    default:
      return undefined;
  }
}
