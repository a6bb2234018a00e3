/** Whether there is a process of that number, be it another than the one that was meant. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Any other refusal is about a process that is there.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
