/** Loaded first into a generation: tells that modules of ours run in it, without which no standby is ever kept. */

import { writeFileSync } from 'node:fs';
import { takeTask } from './task.ts';

const task = takeTask();
if (task !== undefined) {
  try {
    writeFileSync(task.place, '');
  } catch {
    // Nobody is told, and there will be no standby: nothing that the server should suffer from.
  }
}
