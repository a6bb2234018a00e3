import { textAt } from '../wire/edit.ts';
import { notification } from '../wire/message.ts';
import { LOG_LEVEL } from './envelope.ts';
import { type State, toClient } from './state.ts';

/** The levels of log messages, the least important first (server, utilities, logging). */
const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const;

export type LogLevel = (typeof LEVELS)[number];

/**
 * Tells the client something in a log message, if it wants to hear messages of this level: one of the legacy era sets a
 * level once, one of the modern era names it in each request, and hears nothing while none of those is open
 * (2026-07-28, server, utilities, logging).
 */
export function log(state: State, level: LogLevel, text: string): void {
  if (state.settings.transparent || !wanted(state).some((one) => includes(one, level))) return;
  toClient(state, notification('notifications/message', { level, logger: 'mcp-dev', data: text }));
}

function wanted({ conversation, level, requests }: State): readonly (string | undefined)[] {
  switch (conversation.state) {
    case 'silent':
    case 'greeting':
      return [];
    case 'legacy':
      return [level];
    case 'modern':
      return requests.all().map(({ line }) => {
        return textAt(line, ['params', '_meta', LOG_LEVEL])?.replace(/^"|"$/g, '');
      });
  }
}

function includes(wanted: string | undefined, level: LogLevel): boolean {
  const least = (LEVELS as readonly (string | undefined)[]).indexOf(wanted);
  return least !== -1 && least <= LEVELS.indexOf(level);
}
