/** Bare node: the least that can be started and gives an answer. */
process.stdin.pipe(process.stdout);
