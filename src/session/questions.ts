import { type Id, OWN_PREFIX } from '../wire/id.ts';
import { isObject, type JsonObject, request } from '../wire/message.ts';
import { inEra } from './envelope.ts';
import type { Failure } from './failure.ts';
import { type Peer, type Question, type State, toServer } from './state.ts';

/** Asks a generation something on our own behalf; the answer never reaches the client. */
export function ask(state: State, peer: Peer, question: Question, method: string, params: JsonObject): void {
  toServer(state, peer, request(newQuestion(state, peer, question), method, inEra(state, params)));
}

/** Notes what will be asked, and gives the id to ask it with. No client uses ids that begin like it. */
export function newQuestion(state: State, peer: Peer, question: Question): Id {
  const id = JSON.stringify(`${OWN_PREFIX}${peer.generation}:${++state.lastId}`);
  peer.questions.set(id, question);
  return id;
}

/** A generation cannot take over: whoever runs the processes stops it, and the one that serves goes on. */
export function reject(state: State, peer: Peer, why: string): void {
  const failure: Failure = {
    reason: 'start_failed',
    summary: `generation ${peer.generation} cannot take over: ${why}`,
    text: '',
    generation: peer.generation,
  };
  state.emit({ do: 'rejected', generation: peer.generation, failure });
}

/** The message of an error response; `undefined` is one that could not be parsed. */
export function errorText(message: unknown): string {
  if (message === undefined) return 'the answer is no valid JSON';
  const error = isObject(message) && isObject(message.error) ? message.error : {};
  return typeof error.message === 'string' ? error.message : JSON.stringify(error);
}
