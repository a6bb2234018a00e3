import { unwatchFile, watch, watchFile } from 'node:fs';
import { basename, dirname } from 'node:path';
import { isFolder } from './is-folder.ts';
import { systemErrorCode } from './system-error.ts';

/** Ms between two looks where the system gives no file events. */
const POLL = 500;

/**
 * Waits until there is a folder at `path`, by watching its nearest parent that exists.
 * @param poll ms between two looks; undefined uses the system's file events
 * @param appeared called once, never before this function has returned
 * @returns ends the waiting; nothing is called afterwards
 */
export function awaitFolder(path: string, poll: number | undefined, appeared: () => void): () => void {
  let watched: { parent: string; stop: () => void } | undefined;
  let over = false;

  const stop = () => {
    over = true;
    watched?.stop();
  };
  const check = () => {
    if (over) return;
    if (isFolder(path)) {
      stop();
      appeared();
      return;
    }
    const parent = nearestFolder(dirname(path));
    if (watched?.parent === parent) return;
    watched?.stop();
    watched = {
      parent,
      stop: poll === undefined ? watchFolder(parent, onEvent) : pollPath(path, poll, check),
    };
    // It may have been made just before the watch.
    setImmediate(check);
  };
  const onEvent = (type: 'event' | 'end') => {
    if (type === 'end') {
      watched?.stop();
      watched = undefined;
    }
    check();
  };
  setImmediate(check);
  return stop;
}

/** @param onEvent 'end' when the folder itself may be gone, and the watch with it */
function watchFolder(folder: string, onEvent: (type: 'event' | 'end') => void): () => void {
  try {
    const watcher = watch(folder, (event, name) => {
      onEvent(event === 'rename' && name === basename(folder) ? 'end' : 'event');
    });
    watcher.on('error', () => onEvent('end'));
    return () => watcher.close();
  } catch (error) {
    systemErrorCode(error); // no watch to be had, or the folder has just gone
    return pollPath(folder, POLL, () => onEvent('event'));
  }
}

function pollPath(path: string, interval: number, listener: () => void): () => void {
  watchFile(path, { interval }, listener);
  return () => unwatchFile(path, listener);
}

function nearestFolder(path: string): string {
  return isFolder(path) || path === dirname(path) ? path : nearestFolder(dirname(path));
}
