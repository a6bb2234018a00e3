import { isAbsolute, join } from 'node:path';
import { homeFolder } from './home-folder.ts';

/**
 * The user's folder for what we keep between sessions; what is written there is no change of any source. As the XDG Base
 * Directory Specification has it, an empty or relative `XDG_CACHE_HOME` is none.
 */
export function cacheFolder(): string {
  const { XDG_CACHE_HOME = '', LOCALAPPDATA } = process.env;
  const caches =
    process.platform === 'win32'
      ? (LOCALAPPDATA ?? join(homeFolder(), 'AppData', 'Local'))
      : process.platform === 'darwin'
        ? join(homeFolder(), 'Library', 'Caches')
        : isAbsolute(XDG_CACHE_HOME)
          ? XDG_CACHE_HOME
          : join(homeFolder(), '.cache');
  return join(caches, 'mcp-dev');
}
