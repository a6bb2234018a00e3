import type { Report } from '../report/report.ts';
import type { SessionAction, SessionEvent, Timer } from '../session/events.ts';
import { Session } from '../session/session.ts';
import type { SessionSettings } from '../session/state.ts';
import type { ReloadCommand, ReloadEvent, ReloadTimer } from './events.ts';
import { ReloadMachine, type ReloadSettings } from './machine.ts';

/** What happens to a development server: to its session, or to its processes and files. */
export type CoreEvent =
  | Extract<SessionEvent, { type: 'client' | 'server' | 'remembered' }>
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
          | 'exited';
      }
    >
  | { readonly type: 'reload-timer'; readonly timer: ReloadTimer };

/** What a development server does to the world. */
export type Effect =
  | Extract<SessionAction, { do: 'to-client' | 'to-server' | 'garbage' | 'warn' | 'remember' }>
  | { readonly do: 'set-session-timer'; readonly timer: Timer; readonly ms: number }
  | { readonly do: 'clear-session-timer'; readonly timer: Timer }
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
  readonly #queue: (() => void)[] = [];
  #effects: Effect[] = [];

  constructor(session: SessionSettings, reload: ReloadSettings) {
    this.#session = new Session(session);
    this.#machine = new ReloadMachine(reload);
  }

  /** Takes one event that happened at `at` (wall-clock ms); returns what is to be done, in order. */
  handle(event: CoreEvent, at: number): readonly Effect[] {
    this.#effects = [];
    switch (event.type) {
      case 'client':
      case 'server':
      case 'remembered':
        this.#tellSession(event, at);
        break;
      case 'session-timer':
        this.#tellSession({ type: 'timer', timer: event.timer }, at);
        break;
      case 'reload-timer':
        this.#tellMachine({ type: 'timer', timer: event.timer }, at);
        break;
      default:
        this.#tellMachine(event, at);
    }
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) next();
    return this.#effects;
  }

  /** How many requests of the client have no answer yet. */
  get unanswered(): number {
    return this.#session.unanswered;
  }

  /** How many bytes of requests wait for a generation. */
  get heldBytes(): number {
    return this.#session.heldBytes;
  }

  get status(): ReloadMachine['status'] {
    return this.#machine.status;
  }

  #tellSession(event: SessionEvent, at: number): void {
    for (const action of this.#session.handle(event)) {
      switch (action.do) {
        case 'to-client':
        case 'to-server':
        case 'garbage':
        case 'warn':
        case 'remember':
          this.#effects.push(action);
          break;
        case 'set-timer':
          this.#effects.push({ do: 'set-session-timer', timer: action.timer, ms: action.ms });
          break;
        case 'clear-timer':
          this.#effects.push({ do: 'clear-session-timer', timer: action.timer });
          break;
        case 'greeted':
        case 'drained':
          this.#later(() => this.#tellMachine({ type: action.do, generation: action.generation }, at));
          break;
        case 'ready': {
          const { generation, differences } = action;
          this.#later(() => this.#tellMachine({ type: 'ready', generation, differences }, at));
          break;
        }
        case 'rejected': {
          const { generation, failure } = action;
          this.#later(() => this.#tellMachine({ type: 'rejected', generation, failure }, at));
          break;
        }
      }
    }
  }

  #tellMachine(event: ReloadEvent, at: number): void {
    for (const command of this.#machine.handle(event, at)) {
      switch (command.do) {
        case 'build':
        case 'abort-build':
        case 'stop':
        case 'report':
          this.#effects.push(command);
          break;
        case 'start': {
          const { generation, newest } = command;
          this.#effects.push({ do: 'start', generation });
          this.#later(() => this.#tellSession({ type: 'started', generation, newest }, at));
          break;
        }
        case 'session':
          this.#later(() => this.#tellSession(command.event, at));
          break;
        case 'set-timer':
          this.#effects.push({ do: 'set-reload-timer', timer: command.timer, ms: command.ms });
          break;
        case 'clear-timer':
          this.#effects.push({ do: 'clear-reload-timer', timer: command.timer });
          break;
      }
    }
  }

  #later(work: () => void): void {
    this.#queue.push(work);
  }
}
