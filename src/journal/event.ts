import type { Phases, Report, Trigger } from '../report/report.ts';
import type { Difference } from '../session/catalogue.ts';
import type { Reason } from '../session/failure.ts';

/** What is wrong, for scripts: why, in one sentence, and in the compiler's or the server's own words. */
export interface ErrorText {
  readonly reason: Reason;
  readonly summary: string;
  readonly text: string;
}

/** Names of what differs between two generations, such as `tool add`; `changed` with the members that do. */
export interface NamedDifferences {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Such as `tool echo inputSchema`. */
  readonly changed: readonly string[];
}

/** A reload, or another start, and what came of it. */
export type ReloadEvent = {
  readonly event: 'reload';
  readonly ok: boolean;
  /** The generation that serves now; absent when none does. */
  readonly generation?: number;
  readonly trigger: Trigger;
  /** By phase, and in all; up to the failure when it failed. */
  readonly ms: Phases;
  readonly error?: ErrorText;
} & NamedDifferences;

/** What a client and a server have agreed on. */
export interface Connection {
  readonly era: 'legacy' | 'modern';
  readonly protocolVersion: string;
  /** What the client calls itself, as it said it; absent when it did not. */
  readonly client?: { readonly name: string; readonly version?: string };
}

/** What happens to a server under development, for scripts. */
export type DevEvent =
  /** `mcp-dev` began or ended with the session, … */
  | { readonly event: 'session'; readonly state: 'began' | 'ended' }
  /** … and it became known who speaks with the server, and how. */
  | ({ readonly event: 'session'; readonly state: 'connected' } & Connection)
  /** A batch of real changes; the paths are absolute. */
  | { readonly event: 'change'; readonly paths: readonly string[] }
  | {
      readonly event: 'build';
      readonly outcome: 'built' | 'failed' | 'aborted';
      readonly ms: number;
      readonly error?: ErrorText;
    }
  | { readonly event: 'start'; readonly generation: number; readonly pid?: number }
  | ReloadEvent
  /** From now on a generation serves that does not have the newest source. */
  | { readonly event: 'stale'; readonly generation: number; readonly error: ErrorText }
  /** The active generation ended by itself. Another one starts after `retryMs`, or after the next change. */
  | {
      readonly event: 'crash';
      readonly generation?: number;
      readonly error: ErrorText;
      readonly retryMs?: number;
      /** The generation that serves again. */
      readonly serving?: number;
    }
  /** A line on the server's stdout that is no message. */
  | { readonly event: 'garbage'; readonly generation: number; readonly text: string }
  /** A process of the server ended, by itself or on demand. */
  | { readonly event: 'stop'; readonly generation: number; readonly exit: string };

/** An event as scripts get it. */
export type StampedEvent = DevEvent & {
  /** ISO 8601, in UTC. */
  readonly time: string;
  /** The name of the server. */
  readonly server: string;
};

/** An event of just now, its members in the order that people read them in. */
export function stamped(event: DevEvent, server: string): StampedEvent {
  const generation = 'generation' in event ? { generation: event.generation } : {};
  const first = { time: new Date().toISOString(), event: event.event, server, ...generation };
  return Object.assign(first, event);
}

/** The events that a report stands for. */
export function eventsOf(report: Report): readonly DevEvent[] {
  switch (report.event) {
    case 'ready': {
      const { generation, trigger, phases, differences } = report;
      return [
        { event: 'reload', ok: true, generation, trigger, ms: phases, ...nameDifferences(differences ?? []) },
      ];
    }
    case 'failed': {
      const { trigger, phases, failure, serving } = report;
      const error = errorText(failure);
      const generation = serving === undefined ? {} : { generation: serving };
      const reload = {
        event: 'reload',
        ok: false,
        ...generation,
        trigger,
        ms: phases,
        ...nameDifferences([]),
        error,
      } as const;
      return serving === undefined ? [reload] : [reload, { event: 'stale', generation: serving, error }];
    }
    case 'crashed': {
      const { failure, serving, retryMs } = report;
      const error = errorText(failure);
      const crash: DevEvent = {
        event: 'crash',
        ...(failure.generation === undefined ? {} : { generation: failure.generation }),
        error,
        ...(retryMs === undefined ? {} : { retryMs }),
        ...(serving === undefined ? {} : { serving }),
      };
      return serving === undefined ? [crash] : [crash, { event: 'stale', generation: serving, error }];
    }
    case 'one-at-a-time':
    case 'loop':
      return [];
  }
}

export function errorText({ reason, summary, text }: ErrorText): ErrorText {
  return { reason, summary, text };
}

export function nameDifferences(differences: readonly Difference[]): NamedDifferences {
  const named = (change: Difference['change']): string[] =>
    differences
      .filter((difference) => difference.change === change)
      .map(({ noun, name, members }) => [noun, name, ...members].join(' '));
  return { added: named('added'), removed: named('removed'), changed: named('changed') };
}
