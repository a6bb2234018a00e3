/** A fault of our own is said in one line, and takes with it what we have started. */
export function catchOwnCrash(killNow: () => void): void {
  const crash = (error: unknown): void => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`mcp-dev failed, which is a fault of its own: ${text.replaceAll('\n', ' | ')}\n`);
    killNow();
    process.exit(1);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
}
