/** CPU time of a GET of 1 KiB through each chain, as SVG: a group of bars for each chain, with a bar for each report. */
import { BARE, DIRECT } from '../chains/index.mjs';
import { digits, figureOf, majorOf } from './results.mjs';

/** @import { Report } from './results.mjs' */

const WIDTH = 720;
const LABEL = 210;
const FIGURE = 90;
const BAR = 16;
const GAP = 12;
const TOP = 72;
/** From the oldest Node.js to the newest. */
const SEALED_COLOURS = ['#2f6fde', '#7fb0ff'];
const OTHER_COLOURS = ['#6b7485', '#b4bbc7'];

/**
 * @param {string} name - of a chain
 * @param {number} at - the position of the report
 */
const colour = (name, at) => (name.startsWith('relays') ? SEALED_COLOURS : OTHER_COLOURS)[at % 2];

/**
 * The bars of a chain.
 *
 * @param {string} name
 * @param {number} y
 * @param {Report[]} reports
 * @param {number} scale
 */
function group(name, y, reports, scale) {
  const bars = reports.map(({ small }, at) => {
    const { cpuMicros } = figureOf(figureOf(small, 'GET 1 KiB'), name);
    const top = y + at * BAR;
    const width = cpuMicros * scale;
    return (
      `<rect x="${LABEL}" y="${top}" width="${width.toFixed(1)}" height="${BAR - 2}" rx="2" fill="${colour(name, at)}"/>` +
      `<text x="${(LABEL + width + 8).toFixed(1)}" y="${top + 11}" font-size="11">${digits(cpuMicros)} µs</text>`
    );
  });
  const middle = y + (reports.length * BAR) / 2 + 4;
  return `<text x="${LABEL - 10}" y="${middle}" text-anchor="end">${name}</text>${bars.join('')}`;
}

/** @param {Report[]} reports */
function legend(reports) {
  const entries = reports.map((report, at) => {
    const x = LABEL + at * 120;
    return (
      `<rect x="${x}" y="44" width="10" height="10" fill="${SEALED_COLOURS[at % 2]}"/>` +
      `<rect x="${x + 12}" y="44" width="10" height="10" fill="${OTHER_COLOURS[at % 2]}"/>` +
      `<text x="${x + 28}" y="53" font-size="11">Node.js ${majorOf(report)}</text>`
    );
  });
  return entries.join('\n');
}

/** @param {Report[]} reports - from the oldest Node.js to the newest */
export function chart(reports) {
  const newest = reports.at(-1);
  if (newest === undefined) {
    throw new Error('there are no reports to draw');
  }
  const figures = reports.map(({ small }) => figureOf(small, 'GET 1 KiB'));
  const names = Object.keys(figures[0] ?? {}).filter((name) => name !== DIRECT && name !== BARE);
  const most = Math.max(
    ...figures.flatMap((all) => names.map((name) => figureOf(all, name).cpuMicros)),
  );
  const scale = (WIDTH - LABEL - FIGURE) / most;
  const step = reports.length * BAR + GAP;
  const groups = names.map((name, at) => group(name, TOP + at * step, reports, scale));
  const height = TOP + names.length * step + 24;
  const { cores, cpu } = newest.machine;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="13">
<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>
<text x="16" y="28" font-size="16">CPU time of two hops for a GET of 1 KiB</text>
${legend(reports)}
${groups.join('\n')}
<text x="16" y="${height - 10}" font-size="11" fill="#555">${cores} × ${cpu}. Lower is better.</text>
</svg>
`;
}
