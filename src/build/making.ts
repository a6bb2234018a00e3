// All that makes builders, to be loaded as one: a start that builds nothing is spared it.
export { entryBuilder } from './entry-builder.ts';
export { sharedBuilder } from './shared-builder.ts';
export { shellBuilder } from './shell-builder.ts';
