import type { Report } from '../report/report.ts';
import type { SessionAction, SessionEvent, Timer } from '../session/events.ts';
import { Session } from '../session/session.ts';
import type { SessionSettings } from '../session/state.ts';
import type { ReloadCommand, ReloadEvent, ReloadTimer } from './events.ts';
import { ReloadMachine, type ReloadSettings } from './machine.ts';

/** What happens to a development server: to its session, or to its processes and files. */
export type CoreEvent =
  | Extract<
      SessionEvent,
      { type: 'client' | 'server' | 'call' | 'hang-up' | 'remembered' | 'tool-result' | 'log' | 'closing' }
    >
  | { readonly type: 'session-timer'; readonly timer: Timer }
  | Extract<
      ReloadEvent,
      {
        type:
          | 'begin'
          | 'change-seen'
          | 'batch'
          | 'requested'
          | 'built'
          | 'build-failed'
          | 'build-aborted'
          | 'exited'
          | 'cut-off';
      }
    >
  | { readonly type: 'reload-timer'; readonly timer: ReloadTimer };

/** What a development server does to the world. */
export type Effect =
  | Extract<
      SessionAction,
      {
        do:
          | 'to-client'
          | 'to-server'
          | 'answer-call'
          | 'garbage'
          | 'logged'
          | 'warn'
          | 'execute'
          | 'remember';
      }
    >
  | { readonly do: 'set-session-timer'; readonly timer: Timer; readonly ms: number }
  | { readonly do: 'clear-session-timer'; readonly timer: Timer }
  | { readonly do: 'pause-session-timer'; readonly timer: Timer }
  | { readonly do: 'resume-session-timer'; readonly timer: Timer }
  | { readonly do: 'set-reload-timer'; readonly timer: ReloadTimer; readonly ms: number }
  | { readonly do: 'clear-reload-timer'; readonly timer: ReloadTimer }
  | Extract<ReloadCommand, { do: 'build' | 'abort-build' | 'stop' }>
  | { readonly do: 'start'; readonly generation: number }
  | { readonly do: 'report'; readonly report: Report };

/**
 * The session and the state machine of reloads as one: what the one decides the other hears of, in order,
 * before anything else happens. Still without processes, files, pipes or a clock.
 */
export class Core {
  readonly #session: Session;
  readonly #machine: ReloadMachine;
  readonly #emit: (effect: Effect) => void;
  readonly #now: () => number;
  readonly #queue: (() => void)[] = [];
  #state: 'idle' | 'handling' = 'idle';

  /**
   * @param emit gets what is to be done, in order, while an event is handled. An event that it hands in
   *   meanwhile waits for the end of that
   * @param now wall-clock ms
   */
  constructor(
    session: SessionSettings,
    reload: ReloadSettings,
    emit: (effect: Effect) => void,
    now: () => number = Date.now,
  ) {
    this.#session = new Session(session, (action) => this.#act(action));
    this.#machine = new ReloadMachine(reload);
    this.#emit = emit;
    this.#now = now;
  }

  /** Takes one event that happened just now. */
  handle(event: CoreEvent): void {
    if (this.#state === 'handling') {
      this.#postpone(event);
      return;
    }
    this.#state = 'handling';
    try {
      this.#take(event);
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) next();
    } finally {
      this.#state = 'idle';
    }
  }

  /** How many requests of the client have no answer yet. */
  get unanswered(): number {
    return this.#session.unanswered;
  }

  /** The client did more than to ask what the server is. */
  get isSettled(): boolean {
    return this.#session.isSettled;
  }

  /** The same, whether that is answered or not. */
  get isInUse(): boolean {
    return this.#session.isInUse;
  }

  /** In which era, and in which version of it, the client and the server speak. */
  get protocol(): Session['protocol'] {
    return this.#session.protocol;
  }

  /** What the client calls itself. */
  get client(): Session['client'] {
    return this.#session.client;
  }

  /** How many bytes of requests wait for a generation. */
  get heldBytes(): number {
    return this.#session.heldBytes;
  }

  get status(): ReloadMachine['status'] {
    return this.#machine.status;
  }

  // A closure over a parameter costs each call of the function that it stands in, so it has one to itself.
  #postpone(event: CoreEvent): void {
    this.#later(() => this.#take(event));
  }

  #take(event: CoreEvent): void {
    switch (event.type) {
      case 'client':
      case 'server':
      case 'call':
      case 'hang-up':
      case 'remembered':
      case 'tool-result':
      case 'log':
      case 'closing':
        this.#session.handle(event);
        return;
      case 'session-timer':
        this.#session.handle({ type: 'timer', timer: event.timer });
        return;
      case 'reload-timer':
        this.#tellMachine({ type: 'timer', timer: event.timer });
        return;
      default:
        this.#tellMachine(event);
    }
  }

  /** What the session wants done. */
  #act(action: SessionAction): void {
    switch (action.do) {
      case 'to-client':
      case 'to-server':
      case 'answer-call':
      case 'garbage':
      case 'logged':
      case 'warn':
      case 'execute':
      case 'remember':
        this.#emit(action);
        return;
      case 'set-timer':
        this.#emit({ do: 'set-session-timer', timer: action.timer, ms: action.ms });
        return;
      case 'clear-timer':
        this.#emit({ do: 'clear-session-timer', timer: action.timer });
        return;
      case 'pause-timer':
        this.#emit({ do: 'pause-session-timer', timer: action.timer });
        return;
      case 'resume-timer':
        this.#emit({ do: 'resume-session-timer', timer: action.timer });
        return;
      case 'greeted':
      case 'drained':
      case 'dismissed':
        this.#tellMachineLater({ type: action.do, generation: action.generation });
        return;
      case 'ready': {
        const { generation, differences } = action;
        this.#tellMachineLater({ type: 'ready', generation, differences });
        return;
      }
      case 'rejected': {
        const { generation, failure } = action;
        this.#tellMachineLater({ type: 'rejected', generation, failure });
        return;
      }
    }
  }

  #tellMachineLater(event: ReloadEvent): void {
    this.#later(() => this.#tellMachine(event));
  }

  #tellMachine(event: ReloadEvent): void {
    for (const command of this.#machine.handle(event, this.#now())) {
      switch (command.do) {
        case 'build':
        case 'abort-build':
        case 'stop':
        case 'report':
          this.#emit(command);
          break;
        case 'start': {
          const { generation, newest } = command;
          this.#emit({ do: 'start', generation });
          this.#later(() => this.#session.handle({ type: 'started', generation, newest }));
          break;
        }
        case 'session':
          this.#later(() => this.#session.handle(command.event));
          break;
        case 'set-timer':
          this.#emit({ do: 'set-reload-timer', timer: command.timer, ms: command.ms });
          break;
        case 'clear-timer':
          this.#emit({ do: 'clear-reload-timer', timer: command.timer });
          break;
      }
    }
  }

  #later(work: () => void): void {
    this.#queue.push(work);
  }
}
