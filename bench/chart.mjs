/**
 * Draws the figures of a run as an SVG.
 *
 *     node bench/chart.mjs [<results> [<chart>]]     bench/published.json and bench/chart.svg without a name
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const [results = here('published.json'), chart = here('chart.svg')] = process.argv.slice(2);

const WIDTH = 760;
const LEFT = 190;
const RIGHT = 70;
const BAR = 12;
const GAP = 3;
const BETWEEN = 16;
/** Two lines of text. */
const LEAST_ROW = 28;
const TOP = 84;
const BOTTOM = 44;

/** What is drawn for each kind of server, as far as it was measured: ms from a save to the answer of the new tool. */
const BARS = [
  { name: 'kill and restart, the client connects anew', color: '#8b949e', of: ({ restart }) => restart?.ms },
  { name: 'mcp-dev', color: '#3b82f6', of: ({ off }) => off?.ms },
  { name: 'mcp-dev with a process that waits', color: '#16a34a', of: ({ safe }) => safe?.ms },
];

const { date, machine, measured } = JSON.parse(readFileSync(results, 'utf8'));
if (measured.swaps === undefined) throw new Error(`${results} has no group "swaps"`);
const kinds = Object.entries(measured.swaps).map(([name, result]) => ({
  name,
  direct: result.direct.ms,
  bars: BARS.flatMap(({ color, of }) =>
    of(result) === undefined ? [] : [{ color, ratio: of(result) / result.direct.ms }],
  ),
}));
const most = Math.max(1, ...kinds.flatMap(({ bars }) => bars.map(({ ratio }) => ratio)));
const x = (ratio) => LEFT + (ratio / most) * (WIDTH - LEFT - RIGHT);
writeFileSync(chart, draw());

function draw() {
  const parts = [];
  let y = TOP;
  for (const { name, direct, bars } of kinds) {
    const height = Math.max(LEAST_ROW, bars.length * (BAR + GAP) - GAP);
    let barY = y + (height - bars.length * (BAR + GAP) + GAP) / 2;
    parts.push(text(LEFT - 10, y + height / 2 - 2, name, 'end'));
    parts.push(text(LEFT - 10, y + height / 2 + 12, `own start ${Math.round(direct)} ms`, 'end', 'faint'));
    for (const { color, ratio } of bars) {
      parts.push(
        `<rect x="${LEFT}" y="${round(barY)}" width="${round(x(ratio) - LEFT)}" height="${BAR}" rx="2" fill="${color}"/>`,
      );
      parts.push(text(x(ratio) + 6, barY + BAR - 2, `× ${ratio.toFixed(2)}`));
      barY += BAR + GAP;
    }
    y += height + BETWEEN;
  }
  const height = y - BETWEEN + BOTTOM;
  const line = `<line x1="${round(x(1))}" x2="${round(x(1))}" y1="${TOP - 8}" y2="${height - BOTTOM + 8}"/>`;
  const title = 'From a save to the answer of the new tool';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${title}">
<style>
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 15px }
  .faint { fill: #656d76; font-size: 11px }
  line { stroke: #656d76; stroke-dasharray: 3 3 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .faint { fill: #9198a1 }
    line { stroke: #9198a1 }
  }
</style>
${text(0, 18, title, 'start', 'title')}
${legend()}
${text(x(1), TOP - 14, "× 1: the server's own start", 'middle', 'faint')}
${line}
${parts.join('\n')}
${text(0, height - 8, `${date}, node ${machine.node}, ${machine.cpu}, ${machine.cores} cores, ${machine.platform}. Ratios of medians of one run.`, 'start', 'faint')}
</svg>
`;
}

function legend() {
  const drawn = BARS.filter(({ of }) =>
    Object.values(measured.swaps).some((result) => of(result) !== undefined),
  );
  let at = 0;
  return drawn
    .map(({ name, color }) => {
      const entry = `<rect x="${at}" y="32" width="${BAR}" height="${BAR}" rx="2" fill="${color}"/>${text(at + 18, 42, name)}`;
      at += 18 + name.length * 6.4 + 24;
      return entry;
    })
    .join('\n');
}

function text(at, y, content, anchor = 'start', style = undefined) {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const more = style === undefined ? '' : ` class="${style}"`;
  return `<text x="${round(at)}" y="${round(y)}" text-anchor="${anchor}"${more}>${escaped}</text>`;
}

function round(number) {
  return Math.round(number * 10) / 10;
}
