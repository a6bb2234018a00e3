/** Waits until what was written to stdout and stderr has left us, but no longer than `ms`. */
export async function flushed(ms: number): Promise<void> {
  const streams = [process.stdout, process.stderr].filter((stream) => stream.writableLength > 0);
  const written = streams.map((stream) => new Promise<void>((resolve) => stream.write('', () => resolve())));
  const timeout = new Promise<void>((resolve) => setTimeout(resolve, ms).unref());
  await Promise.race([Promise.all(written), timeout]);
}
