import { join } from 'node:path';
import { homeFolder } from './home-folder.ts';

/** The user's folder for what we keep between sessions; what is written there is no change of any source. */
export function cacheFolder(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  const caches =
    process.platform === 'win32'
      ? (LOCALAPPDATA ?? join(homeFolder(), 'AppData', 'Local'))
      : process.platform === 'darwin'
        ? join(homeFolder(), 'Library', 'Caches')
        : (XDG_CACHE_HOME ?? join(homeFolder(), '.cache'));
  return join(caches, 'mcp-dev');
}
