import { promises } from 'node:fs';

/** Writes a file that nobody sees in part: beside it, for this user alone, and then renamed over it. Rejects as these do. */
export async function replaceFile(file: string, content: string | Buffer): Promise<void> {
  const fresh = `${file}.${process.pid}`;
  try {
    await promises.writeFile(fresh, content, { mode: 0o600 });
    await promises.rename(fresh, file);
  } finally {
    // A full disk takes the name and a part of the content.
    await promises.rm(fresh, { force: true });
  }
}
