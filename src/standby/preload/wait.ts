/**
 * Loaded first into a standby: loads packages, and waits in the middle of node's own start until the runner
 * says for which generation it goes on. Whatever fails ends the process, for beyond this module lies the server.
 */

import { takeTask } from './task.ts';

const task = takeTask();
if (task !== undefined) {
  const { standBy } = await import('./stand-by.ts');
  await standBy(task.place);
}
