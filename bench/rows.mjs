/**
 * The table: a row for each figure, in groups. `value` is a ratio to what was measured beside it in the same run,
 * unless `what` names a unit, and `goal` the most it should be. A row without a value says why in `skipped`.
 */
export function rowsOf(measured) {
  return [
    ...inGroup('data', measured.data, dataRows),
    ...inGroup('start', measured.start, startRows),
    ...inGroup('swaps', measured.swaps, swapRows),
    ...inGroup('echo', measured.echo, echoRows),
    ...inGroup('trees', measured.trees, treeRows),
  ];
}

function inGroup(group, measured, rows) {
  return measured === undefined ? [] : rows(measured).map((each) => ({ group, ...each }));
}

function dataRows({ pipelined, sequential, line10, line50 }) {
  return [
    ...besides('100,000 pipelined, 200 B', pipelined, 'ms', { pipe: 2 }),
    row('CPU of a round trip, µs', pipelined.mcpDev.cpuMicros, 1),
    row('… more than the bare pipe, µs', pipelined.mcpDev.cpuMicros - pipelined.pipe.cpuMicros),
    ...besides('one after the other, 200 B', sequential, 'micros', {}),
    ...besides('one line of 10 MB', line10, 'ms', {}),
    row('… memory, lines', line10.mcpDev.grown, 2),
    ...besides('one line of 50 MB', line50, 'ms', {}),
    row('… memory, lines', line50.mcpDev.grown, 2),
  ];
}

function startRows({ mcpDev, node, pipe, first }) {
  return [
    row('start to first byte / bare node', mcpDev.ms / node.ms, 1.25),
    row('start to first byte / bare pipe', mcpDev.ms / pipe.ms),
    row('the very first start / bare node', first.ms / node.ms),
  ];
}

/** All but the start out of a standby end with the answer of the new tool, and so does the direct start. */
function swapRows(kinds) {
  return Object.entries(kinds).flatMap(([name, { goals, direct, restart, off, safe }]) => [
    row(`${name}: own cold start, ms`, direct.ms),
    ...(restart === undefined ? [] : [row(`${name}: kill and restart / cold start`, restart.ms / direct.ms)]),
    row(`${name}: swap without standby / cold start`, off.ms / direct.ms, goals.off),
    ...(safe === undefined
      ? [skipped(`${name}: swap with standby / cold start`)]
      : [
          row(`${name}: swap with standby / cold start`, safe.ms / direct.ms, goals.safe),
          row(`${name}: go → tools/list / cold start`, safe.start / direct.list, goals.go),
        ]),
  ]);
}

function echoRows(kinds) {
  return Object.entries(kinds).flatMap(([name, { off, safe }]) => [
    row(`${name}: longest wait without standby / save → callable`, off.wait / off.ms, 1.25),
    safe === undefined
      ? skipped(`${name}: longest wait with standby / save → callable`)
      : row(`${name}: longest wait with standby / save → callable`, safe.wait / safe.ms, 1.25),
  ]);
}

function treeRows({ files, ignored, runners }) {
  const what = `${files} files beside ${ignored} ignored`;
  if (runners === undefined) return [{ what, skipped: 'this system does not tell what a process watches' }];
  const { mcpDev, chokidar, nodemon } = runners;
  return [
    row(`${what}: ready, ms`, mcpDev.ms),
    row('… / bare chokidar', mcpDev.ms / chokidar.ms),
    row('… / nodemon', mcpDev.ms / nodemon.ms),
    row('memory, MB', mcpDev.mb),
    row('… / bare chokidar', mcpDev.mb / chokidar.mb),
    row('… / nodemon', mcpDev.mb / nodemon.mb),
    row('watches', mcpDev.watches),
    row('… of a bare chokidar', chokidar.watches),
    row('… of nodemon', nodemon.watches),
  ];
}

function row(what, value, goal) {
  return goal === undefined ? { what, value } : { what, value, goal };
}

function skipped(what) {
  return { what, skipped: 'this version has no --standby' };
}

function besides(what, result, key, goals) {
  return ['direct', 'pipe'].map((other) => {
    const name = other === 'pipe' ? 'bare pipe' : other;
    return row(`${what} / ${name}`, result.mcpDev[key] / result[other][key], goals[other]);
  });
}
