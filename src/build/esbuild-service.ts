export type Esbuild = typeof import('esbuild');

/** esbuild works in one process of its own for all who use it here; this is how many. */
let users = 0;

/** Loads esbuild for one more user. */
export async function useEsbuild(): Promise<Esbuild> {
  users += 1;
  return import('esbuild');
}

/** To be called once for each `useEsbuild`: the last one ends the process, which would else outlive us. */
export async function leaveEsbuild(esbuild: Esbuild): Promise<void> {
  users -= 1;
  if (users === 0) await esbuild.stop();
}

/** Whether a request failed because esbuild's process is gone (killed from outside, out of memory). */
export function serviceIsGone(error: unknown): boolean {
  return error instanceof Error && /^The service (?:was stopped|is no longer running)/.test(error.message);
}
