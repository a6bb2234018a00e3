/** Waits until what was written to stdout and stderr has left us, but no longer than `ms`, if that is given. */
export async function flushed(ms?: number): Promise<void> {
  const streams = [process.stdout, process.stderr].filter((stream) => stream.writableLength > 0);
  const written = Promise.all(
    streams.map((stream) => new Promise<void>((resolve) => stream.write('', () => resolve()))),
  );
  const timeout = new Promise<void>((resolve) => {
    if (ms !== undefined) setTimeout(resolve, ms).unref();
  });
  await Promise.race([written, timeout]);
}
