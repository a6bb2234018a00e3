import { textAt } from '../wire/edit.ts';
import type { Line } from '../wire/line.ts';
import { isObject, type JsonObject } from '../wire/message.ts';
import type { State } from './state.ts';

const OWN = 'io.modelcontextprotocol/';
const VERSION = `${OWN}protocolVersion`;
const CAPABILITIES = `${OWN}clientCapabilities`;
const CLIENT_INFO = `${OWN}clientInfo`;
/** The parts of an envelope that say who asks, and nothing of the one request (2026-07-28, basic, "_meta"). */
const LASTING = [VERSION, CLIENT_INFO, CAPABILITIES];

/** The member of a request's `_meta` that asks for log messages while it is open, from this level on. */
export const LOG_LEVEL = `${OWN}logLevel`;

/** The member of `_meta` that tells to which subscription a notification belongs. */
export const SUBSCRIPTION_ID = `${OWN}subscriptionId`;

/** Whether a request is one of 2026-07-28 or later: those name their version, each for itself. */
export function isEnveloped(line: Line): boolean {
  return textAt(line, ['params', '_meta', VERSION]) !== undefined;
}

/** The version that an enveloped request names, and what of its envelope fits other requests of the client. */
export function envelopeOf(line: Line): { readonly protocolVersion: string; readonly envelope: JsonObject } {
  const message = line.parse();
  const params = isObject(message) && isObject(message.params) ? message.params : {};
  const meta = isObject(params._meta) ? params._meta : {};
  const envelope = Object.fromEntries(
    LASTING.filter((name) => name in meta).map((name) => [name, meta[name]]),
  );
  return { protocolVersion: String(meta[VERSION]), envelope };
}

/** What the client calls itself in an envelope. */
export function clientInfoOf(envelope: JsonObject): JsonObject | undefined {
  const info = envelope[CLIENT_INFO];
  return isObject(info) ? info : undefined;
}

/** Whether capabilities, of either side, name an extension. */
export function hasExtension(capabilities: JsonObject, name: string): boolean {
  return isObject(capabilities.extensions) && name in capabilities.extensions;
}

/** Whether the client of a session of the modern era names an extension in its envelope. */
export function clientHas({ conversation }: State, name: string): boolean {
  if (conversation.state !== 'modern') return false;
  const capabilities = conversation.envelope[CAPABILITIES];
  return isObject(capabilities) && hasExtension(capabilities, name);
}

/** Parameters for a request of our own, in the era of the session. */
export function inEra({ conversation }: State, params: JsonObject): JsonObject {
  return conversation.state === 'modern' ? { ...params, _meta: conversation.envelope } : params;
}
