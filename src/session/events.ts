import type { Line } from '../wire/line.ts';
import type { JsonObject } from '../wire/message.ts';
import type { Difference } from './catalogue.ts';
import type { Failure } from './failure.ts';
import type { LogLevel } from './own-log.ts';
import type { Remembered } from './state.ts';

/** The timers of a session. They are set and called off by actions, and come back as events. */
export type Timer =
  /** A client gives up when its handshake is not answered: then we do it. */
  | { readonly kind: 'answer' }
  /** The same for `server/discover`. */
  | { readonly kind: 'discover' }
  /** Requests are held no longer. */
  | { readonly kind: 'hold' }
  /** Calls of tools with a new output schema wait no longer for the client to read the list. */
  | { readonly kind: 'schema' }
  /** A draining generation has had its time. */
  | { readonly kind: 'drain'; readonly generation: number }
  /** A generation that was replaced a moment ago is needed no longer. */
  | { readonly kind: 'keep'; readonly generation: number }
  /** A candidate's lists are waited for no longer, but for its tools. */
  | { readonly kind: 'lists'; readonly generation: number }
  /** Notifications of one kind, and of one subscription, are merged no longer. */
  | { readonly kind: 'merge'; readonly key: string }
  /** A server that ended the client's subscriptions gets them again. */
  | { readonly kind: 'listen' };

/** What happens to a session. */
export type SessionEvent =
  | { readonly type: 'client'; readonly line: Line }
  | { readonly type: 'server'; readonly generation: number; readonly line: Line }
  /** A process was started; `newest` tells whether it has the newest source. */
  | { readonly type: 'started'; readonly generation: number; readonly newest: boolean }
  /** A process is gone, or given up; nothing can be sent to it any more. */
  | { readonly type: 'gone'; readonly generation: number; readonly failure: Failure }
  /** Another generation is on its way; `change`: because the source changed, which nobody serves yet. */
  | { readonly type: 'awaited'; readonly change: boolean }
  /** What was awaited turned out to be no change. */
  | { readonly type: 'settled' }
  /** The newest source is known not to work. */
  | { readonly type: 'broken'; readonly failure: Failure }
  /** The active generation has to make room: it drains, and nothing new goes to it. */
  | { readonly type: 'retire'; readonly generation: number }
  /** The active generation is gone, and this one, which it had replaced, is still there: it serves again. */
  | { readonly type: 'revert'; readonly generation: number }
  /** Somebody other than the client calls a tool; `call` numbers it, and comes back with its one answer. */
  | { readonly type: 'call'; readonly call: number; readonly tool: string; readonly arguments: JsonObject }
  /** Nobody waits for the answer to such a call any more. */
  | { readonly type: 'hang-up'; readonly call: number }
  /** The session ends, while the client still listens. */
  | { readonly type: 'closing' }
  /** What an earlier session of this server found out. */
  | { readonly type: 'remembered'; readonly remembered: Remembered }
  /** What came of a call of one of our tools. */
  | { readonly type: 'tool-result'; readonly key: number; readonly result: JsonObject }
  /** Something that a client which wants to hear it may be told in a log message. */
  | { readonly type: 'log'; readonly level: LogLevel; readonly text: string }
  | { readonly type: 'timer'; readonly timer: Timer };

/** What a session wants done. */
export type SessionAction =
  | { readonly do: 'to-client'; readonly line: Line }
  | { readonly do: 'to-server'; readonly generation: number; readonly line: Line }
  /** The answer to a call that was not the client's. */
  | { readonly do: 'answer-call'; readonly call: number; readonly line: Line }
  | { readonly do: 'set-timer'; readonly timer: Timer; readonly ms: number }
  | { readonly do: 'clear-timer'; readonly timer: Timer }
  /** A timer stands still until it is resumed, and then goes on with the time that is left. */
  | { readonly do: 'pause-timer'; readonly timer: Timer }
  | { readonly do: 'resume-timer'; readonly timer: Timer }
  /** The handshake was sent to a generation: from now on it is expected to answer. */
  | { readonly do: 'greeted'; readonly generation: number }
  /** A generation is active now. `differences` is absent when the lists before it are not known. */
  | {
      readonly do: 'ready';
      readonly generation: number;
      readonly differences: readonly Difference[] | undefined;
    }
  /** A generation that was replaced cannot serve again. */
  | { readonly do: 'dismissed'; readonly generation: number }
  /** A generation answered in a way that this session cannot go on with. */
  | { readonly do: 'rejected'; readonly generation: number; readonly failure: Failure }
  /** A draining generation has nothing left to do. */
  | { readonly do: 'drained'; readonly generation: number }
  /** A generation printed something on stdout that is no message. */
  | { readonly do: 'garbage'; readonly generation: number; readonly line: Line }
  /** A generation sent a log message, which the client gets as well. */
  | { readonly do: 'logged'; readonly generation: number; readonly line: Line }
  /** One of our tools is called; the result is awaited under the key, and not at all once the client cancelled it. */
  | {
      readonly do: 'execute';
      readonly key: number;
      readonly tool: string;
      readonly args: JsonObject;
    }
  /** A generation told of itself what a later session may want to know. */
  | { readonly do: 'remember'; readonly remembered: Remembered }
  /** Somebody does not keep to the protocol. There may be many warnings of one kind. */
  | { readonly do: 'warn'; readonly about: Offence; readonly message: string };

/** What warnings are about. */
export type Offence =
  | 'client-id'
  | 'server-id'
  | 'server-questions'
  | 'server-backlog'
  | 'server-requests'
  | 'subscriptions'
  | 'request-state'
  | 'tool-names';
