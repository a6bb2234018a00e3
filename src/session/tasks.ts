import { textAt } from '../wire/edit.ts';
import type { Line } from '../wire/line.ts';
import { finishDraining } from './peers.ts';
import type { ClientRequest, Peer, State } from './state.ts';

/** States in which a task stays (2025-11-25, basic, utilities, tasks). */
const OVER = new Set(['"completed"', '"failed"', '"cancelled"']);

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
  if (!('tasks' in peer.capabilities)) return;
  switch (request.method) {
    case 'tasks/get':
    case 'tasks/cancel':
      noteTask(state, peer, textAt(request.line, ['params', 'taskId']), textAt(line, ['result', 'status']));
      return;
    case 'tasks/result':
      noteTask(state, peer, textAt(request.line, ['params', 'taskId']), '"completed"');
      return;
    default: {
      if (textAt(request.line, ['params', 'task']) === undefined) return;
      const id = textAt(line, ['result', 'task', 'taskId']);
      if (id === undefined) return;
      state.tasks.set(id, peer);
      peer.tasks.add(id);
      noteTask(state, peer, id, textAt(line, ['result', 'task', 'status']));
    }
  }
}

/** `notifications/tasks/status` */
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
