import { homedir } from 'node:os';

/** The user's home folder; `/` for a user without an account, as containers have, whose client passes no `HOME`. */
export function homeFolder(): string {
  try {
    return homedir();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SYSTEM_ERROR') throw error;
    return '/';
  }
}
