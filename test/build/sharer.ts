import { createInterface } from 'node:readline';
import { sharedBuilder } from '../../src/build/shared-builder.ts';
import { shellBuilder } from '../../src/build/shell-builder.ts';

/*
 * A process that shares builds: `sharer <folder> <command>`. It does what the lines on its stdin say and tells
 * on stdout, a line of JSON each, what happened.
 */

const [folder = '', command = ''] = process.argv.slice(2);
let changedAt = Number.NEGATIVE_INFINITY;
let aborter = new AbortController();

const builder = sharedBuilder(
  (onStart) => shellBuilder({ command, cwd: folder, env: () => process.env, onOutput: () => {}, onStart }),
  {
    folder,
    command,
    changedSince: (ms) => ms <= changedAt,
    began: ({ pid }) => tell({ began: pid }),
    notice: (text) => tell({ notice: text }),
  },
);

createInterface({ input: process.stdin }).on('line', (line) => void obey(line));

async function obey(line: string): Promise<void> {
  switch (line) {
    case 'build':
      aborter = new AbortController();
      tell(await builder.build(aborter.signal));
      return;
    case 'abort':
      aborter.abort();
      return;
    case 'change':
      changedAt = Date.now();
      tell({ changed: true });
      return;
    case 'close':
      await builder.close();
      process.exit(0);
  }
}

function tell(what: object): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}
