import { join } from 'node:path';
import type { Main } from '../cli/main.ts';
import { loadModule } from './code-cache.ts';

/** Put in by the build: the hash of the command's file. */
declare const COMMAND_DIGEST: string;

const command = loadModule(join(import.meta.dirname, 'command', 'main.cjs'), COMMAND_DIGEST);
const { main } = command.exports as { main: Main };
void main(process.argv.slice(2), () => void command.keepCode()).then((code) => process.exit(code));
