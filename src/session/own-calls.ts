import { type Id, OWN_PREFIX } from '../wire/id.ts';
import { ErrorCode, errorResponse, notification, request } from '../wire/message.ts';
import { answer, leaveUnanswered } from './answers.ts';
import { inEra } from './envelope.ts';
import type { SessionEvent } from './events.ts';
import { freshPeer } from './peers.ts';
import { newRequest } from './requests.ts';
import { dispatch, takeBack } from './serving.ts';
import { type State, toServer } from './state.ts';

const METHOD = 'tools/call';

/**
 * Calls a tool for somebody who is not the client. The call is held, sent again and failed like one of the client's,
 * and its answer never reaches the client.
 */
export function callTool(state: State, event: Extract<SessionEvent, { type: 'call' }>): void {
  const { call, tool } = event;
  const id = idOf(call);
  const line = request(id, METHOD, inEra(state, { name: tool, arguments: event.arguments }));
  const own = newRequest({ id, method: METHOD, line, batch: undefined, call });
  state.requests.add(own);
  if (isOpen(state) || isDown(state)) dispatch(state, own);
  else answer(state, own, errorResponse(id, ErrorCode.internal, 'the client has not begun its session yet'));
}

/** Takes a call back: whoever made it is gone. */
export function hangUp(state: State, call: number): void {
  const own = state.requests.get(idOf(call));
  if (own === undefined) return;
  if (own.peer !== undefined) {
    const params = { requestId: JSON.parse(String(own.id)), reason: 'whoever called it is gone' };
    toServer(state, own.peer, notification('notifications/cancelled', params));
  }
  if (takeBack(state, own)) leaveUnanswered(state, own);
}

/** It is known how to ask, and a server that wants to hear from the client first has done so. */
function isOpen({ conversation }: State): boolean {
  return conversation.state === 'modern' || (conversation.state === 'legacy' && conversation.initialized);
}

function isDown(state: State): boolean {
  return state.source.state === 'broken' && state.active === undefined && freshPeer(state) === undefined;
}

function idOf(call: number): Id {
  return JSON.stringify(`${OWN_PREFIX}call:${call}`);
}
