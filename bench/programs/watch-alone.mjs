/** A bare chokidar on the working folder, which passes by what is ignored and does nothing with what it sees. */
import { sep } from 'node:path';
import { watch } from 'chokidar';

watch('.', { ignored: (path) => path.split(sep).includes('node_modules') });
