/** The code (ENOENT, …) of an error that a system call gave. Any other error is a bug and is thrown on. */
export function systemErrorCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && 'syscall' in error) return String(error.code);
  throw error;
}
