import { isObject, type JsonObject } from '../wire/message.ts';
import type { NumberedMessage } from './read.ts';

/** A request of the client, and how it was answered. */
export interface Call {
  /** As JSON text, so that 1 and "1" are two. */
  readonly id: string;
  readonly method: string;
  readonly message: JsonObject;
  /** Of the request, in the recording. */
  readonly line: number;
  /** The recorded response; undefined when there was none, or `mcp-dev` gave it in place of the server. */
  answer: JsonObject | undefined;
}

/** What the client had received before it sent something. */
export interface Needs {
  /** So many of the calls that have an answer, in the order of the answers. */
  readonly answers: number;
  /** How many requests and notifications of the server, by method. */
  readonly arrivals: ReadonlyMap<string, number>;
}

/** What the client did, one after the other. */
export type Step = { readonly needs: Needs } & (
  | { readonly kind: 'send'; readonly messages: readonly JsonObject[]; readonly calls: readonly Call[] }
  /** The answer to the nth request of the server with this method, from 0. */
  | { readonly kind: 'reply'; readonly method: string; readonly nth: number; readonly message: JsonObject }
);

/** A recording as something to do: the client's half, and what has to come before each part of it. */
export interface Script {
  readonly steps: readonly Step[];
  /** The calls that have an answer, in the order in which the answers came. */
  readonly answered: readonly Call[];
  /** How many requests of the server came, by method; more of them have nothing that could be replied. */
  readonly asked: ReadonlyMap<string, number>;
  /** Requests that the recording has no answer of the server to. */
  readonly unanswered: number;
}

/** What comes when it likes, or from `mcp-dev` itself: nobody waits for it. */
const UNRELIABLE = /^notifications\/(progress|message|cancelled|(tools|prompts|resources)\/list_changed)$/;

/** Tools of `mcp-dev`, which the server does not have. */
const OWN_TOOL = /^mcp_dev_/;

/** Makes a script of a recording. */
export function scriptOf(recorded: readonly NumberedMessage[]): Script {
  const steps: Step[] = [];
  const answered: Call[] = [];
  const calls: Call[] = [];
  const open = new Map<string, Call>();
  /** Requests of the server by id, with what number of its method they have. */
  const questions = new Map<string, { readonly method: string; readonly nth: number }>();
  const asked = new Map<string, number>();
  const arrivals = new Map<string, number>();
  // Each process of a server may ask and tell by itself, and here there is only one.
  const isOne = new Set(recorded.map(({ generation }) => generation ?? 1)).size <= 1;
  const needs = (): Needs => ({ answers: answered.length, arrivals: new Map(arrivals) });

  const fromClient = ({ message, line }: NumberedMessage): void => {
    const messages: JsonObject[] = [];
    const begun: Call[] = [];
    for (const one of each(message)) {
      const id = JSON.stringify(one.id);
      if (typeof one.method !== 'string') {
        const question = questions.get(id);
        if (question !== undefined) steps.push({ kind: 'reply', needs: needs(), ...question, message: one });
      } else if (!isOwnCall(one)) {
        messages.push(one);
        if (one.id === undefined) continue;
        begun.push({ id, method: one.method, message: one, line, answer: undefined });
      }
    }
    if (messages.length > 0) steps.push({ kind: 'send', needs: needs(), messages, calls: begun });
    for (const call of begun) open.set(call.id, call);
    calls.push(...begun);
  };

  const fromServer = ({ message }: NumberedMessage): void => {
    for (const one of each(message)) {
      const id = JSON.stringify(one.id);
      if (typeof one.method === 'string') {
        if (isOne && !UNRELIABLE.test(one.method)) count(arrivals, one.method);
        if (one.id !== undefined) questions.set(id, { method: one.method, nth: count(asked, one.method) });
        continue;
      }
      const call = open.get(id);
      open.delete(id);
      // A subscription is only answered when the session ends.
      if (call === undefined || call.method === 'subscriptions/listen' || isOwnAnswer(one)) continue;
      call.answer = one;
      answered.push(call);
    }
  };

  for (const entry of recorded) entry.from === 'client' ? fromClient(entry) : fromServer(entry);
  return { steps, answered, asked, unanswered: calls.length - answered.length };
}

/** The messages of a line: one, or those of a batch. */
export function each(message: unknown): readonly JsonObject[] {
  return (Array.isArray(message) ? message : [message]).filter(isObject);
}

/** Adds one, and returns how many there were before. */
export function count(counts: Map<string, number>, key: string): number {
  const before = counts.get(key) ?? 0;
  counts.set(key, before + 1);
  return before;
}

function isOwnCall({ method, params }: JsonObject): boolean {
  return method === 'tools/call' && isObject(params) && OWN_TOOL.test(String(params.name));
}

/** Whether `mcp-dev` answered because no generation could. */
function isOwnAnswer({ result, error }: JsonObject): boolean {
  const about = isObject(result) ? result._meta : isObject(error) ? error.data : undefined;
  const own = isObject(about) ? about['mcp-dev'] : undefined;
  return isObject(own) && own.stale !== true;
}
