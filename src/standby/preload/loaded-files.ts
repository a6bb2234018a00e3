import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * The files that this process has loaded so far, ours left out. node keeps no list of its ES modules; the
 * debugger does, and looking at it leaves nothing behind.
 */
export async function loadedFiles(): Promise<string[]> {
  const { Session } = await import('node:inspector');
  const files = new Set<string>(Object.keys(createRequire(import.meta.url).cache));
  const session = new Session();
  session.connect();
  session.on('Debugger.scriptParsed', ({ params: { url } }) => {
    if (url.startsWith('file:')) files.add(fileURLToPath(url));
    else if (url.startsWith('/')) files.add(url);
  });
  // Answers at once, with an event for each script that there is.
  session.post('Debugger.enable');
  session.post('Debugger.disable');
  session.disconnect();
  files.add(process.execPath);
  return [...files];
}
