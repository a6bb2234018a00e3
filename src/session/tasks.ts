import { textAt } from '../wire/edit.ts';
import type { Line } from '../wire/line.ts';
import { clientHas, hasExtension } from './envelope.ts';
import { finishDraining } from './peers.ts';
import type { ClientRequest, Peer, State } from './state.ts';

const EXTENSION = 'io.modelcontextprotocol/tasks';
/** States in which a task stays (2025-11-25, basic, utilities, tasks). */
const OVER = new Set(['"completed"', '"failed"', '"cancelled"']);

export const TASK_NOTIFICATIONS = new Set(['notifications/tasks/status', 'notifications/tasks']);

/** The generation that made the task a request is about, as long as it is there. */
export function taskOwner(state: State, request: ClientRequest): Peer | undefined {
  if (state.tasks.size === 0 || !request.method.startsWith('tasks/')) return undefined;
  const id = textAt(request.line, ['params', 'taskId']);
  return id === undefined ? undefined : state.tasks.get(id);
}

/** A request about one task: only the generation that made the task can answer it. */
export function isAboutTask(request: ClientRequest): boolean {
  return request.method.startsWith('tasks/') && textAt(request.line, ['params', 'taskId']) !== undefined;
}

/** Notes what a result says of tasks: that one was made, or that one is over. */
export function noteTaskResult(state: State, peer: Peer, request: ClientRequest, line: Line): void {
  if (!hasTasks(state, peer)) return;
  switch (request.method) {
    case 'tasks/get':
    case 'tasks/cancel':
      noteTask(state, peer, textAt(request.line, ['params', 'taskId']), textAt(line, ['result', 'status']));
      return;
    case 'tasks/result':
      noteTask(state, peer, textAt(request.line, ['params', 'taskId']), '"completed"');
      return;
    default: {
      const at = madeTask(request, line);
      const id = at === undefined ? undefined : textAt(line, [...at, 'taskId']);
      if (at === undefined || id === undefined) return;
      state.tasks.set(id, peer);
      peer.tasks.add(id);
      noteTask(state, peer, id, textAt(line, [...at, 'status']));
    }
  }
}

/** Tasks are a capability of 2025-11-25, and an extension of 2026-07-28 that both sides declare, the client first. */
function hasTasks(state: State, { capabilities }: Peer): boolean {
  return 'tasks' in capabilities || hasExtension(capabilities, EXTENSION) || clientHas(state, EXTENSION);
}

/** Where a result tells of the task that it made: the client asks for one in the one era, and is given one in the other. */
function madeTask(request: ClientRequest, line: Line): string[] | undefined {
  if (textAt(line, ['result', 'resultType']) === '"task"') return ['result'];
  return textAt(request.line, ['params', 'task']) === undefined ? undefined : ['result', 'task'];
}

/** `notifications/tasks/status` of the one era, `notifications/tasks` of the other. */
export function noteTaskStatus(state: State, peer: Peer, line: Line): void {
  noteTask(state, peer, textAt(line, ['params', 'taskId']), textAt(line, ['params', 'status']));
}

/** A generation takes its tasks with it. */
export function forgetTasks(state: State, peer: Peer): void {
  for (const [id, owner] of state.tasks) if (owner === peer) state.tasks.delete(id);
}

function noteTask(state: State, peer: Peer, id: string | undefined, status: string | undefined): void {
  if (id === undefined || status === undefined || !OVER.has(status)) return;
  // Its result can still be asked for, so it stays known as long as its generation.
  if (peer.tasks.delete(id)) finishDraining(state, peer);
}
