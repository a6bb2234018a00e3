import { textAt } from '../wire/edit.ts';
import { isObject } from '../wire/message.ts';
import { LISTS } from './catalogue.ts';
import { DISCOVER } from './discovery.ts';
import { calledTool } from './requests.ts';
import type { ClientRequest, InFlight, Peer, SessionSettings } from './state.ts';

/** Requests that change nothing, or only what is set to the same value again. */
const SAFE = new Set([
  ...Object.keys(LISTS),
  'resources/read',
  'prompts/get',
  'completion/complete',
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
  'ping',
  DISCOVER,
]);

/** Whether sending the request to another process can do no harm whatever the first one did. */
export function isSafe(method: string): boolean {
  return SAFE.has(method);
}

/** Whether a request can be sent to another process whatever the first one did with it. */
export function isRepeatable(request: ClientRequest): boolean {
  return isSafe(request.method) && !isContinuation(request);
}

/**
 * Whether a request that its generation can answer no more may be sent again: once at most, and only if it is
 * safe. A tool says so itself, and a call in the course of which the server asked the client something is not.
 */
export function mayBeSentAgain(settings: SessionSettings, request: InFlight): boolean {
  if (settings.replay === 'never' || request.interrupted !== undefined) return false;
  if (isContinuation(request)) return false;
  if (request.method !== 'tools/call') return isSafe(request.method);
  return !request.exchanged && isHarmlessCall(settings, request.peer, request);
}

/** Whether this generation may be given a call that another one was given before. */
export function isHarmlessCall(settings: SessionSettings, peer: Peer, request: ClientRequest): boolean {
  const name = calledTool(request);
  const tool = peer.catalogue.get('tools/list')?.find((item) => item.name === name);
  const annotations = tool !== undefined && isObject(tool.annotations) ? tool.annotations : {};
  if (annotations.readOnlyHint === true) return true;
  return settings.replay === 'idempotent' && annotations.idempotentHint === true;
}

/** Parameters that make a request part of something longer: a task, or an exchange with the user. */
const CONTINUES = ['task', 'inputResponses', 'requestState'];

function isContinuation(request: ClientRequest): boolean {
  return CONTINUES.some((name) => textAt(request.line, ['params', name]) !== undefined);
}
