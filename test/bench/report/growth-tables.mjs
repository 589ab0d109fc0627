/** How costs grow, as tables. */
import { CHANNELS, PLAIN } from '../chains/index.mjs';
import {
  NODE,
  TRANSFER_HEAD,
  digits,
  figureOf,
  markdownTable,
  rows,
  transfer,
  withSpread,
} from './results.mjs';

/** @import { SliceSummary } from '../measure/slices.mjs' */
/** @import { StoreFigures } from '../measure/store.mjs' */
/** @import { Report } from './results.mjs' */

/** @param {SliceSummary} found */
const request = (found) => [digits(found.perSecond), withSpread(found.cpuMicros, found.spread)];

/** @param {Report[]} reports */
export function growth(reports) {
  /** @param {'memory' | 'redis'} name */
  const session = (name) => (/** @type {Report} */ report) => report.sessions[name];
  /** @param {StoreFigures} figures */
  const store = ({ p50Micros, p99Micros, usedMib }) => [p50Micros, p99Micros, usedMib].map(digits);
  return [
    'More connections, GET of 1 KiB:',
    markdownTable(
      ['Connections', NODE, 'sealed, requests/s', 'CPU µs', 'plain Fastify, requests/s', 'CPU µs'],
      rows(
        reports,
        ({ connections }) => connections,
        (found) => [...request(figureOf(found, CHANNELS)), ...request(figureOf(found, PLAIN))],
      ),
    ),
    'More peers of one relay, GET of 1 KiB:',
    markdownTable(
      ['Peers', NODE, 'requests/s', 'CPU µs', 'RSS, MiB'],
      rows(
        reports,
        ({ peers }) => peers,
        (all) => {
          const found = figureOf(all, CHANNELS);
          return [...request(found), digits(found.residentMib)];
        },
      ),
    ),
    ...[CHANNELS, PLAIN].flatMap((name) => [
      `Larger bodies, four at a time, ${name}:`,
      markdownTable(
        ['KiB', NODE, ...TRANSFER_HEAD],
        rows(
          reports,
          ({ bodies }) => bodies,
          (all) => {
            const { down, up } = figureOf(all, name);
            return [...transfer(down), ...transfer(up)];
          },
        ),
      ),
    ]),
    .../** @type {const} */ (['memory', 'redis']).flatMap((name) => [
      name === 'memory'
        ? 'More sessions in memory, OPEN and MARK of one session; RSS of the process:'
        : 'More sessions in Redis, OPEN and MARK of one session; memory that Redis uses:',
      markdownTable(
        ['Sessions', NODE, 'p50, µs', 'p99, µs', 'MiB'],
        rows(reports, session(name), store),
      ),
    ]),
  ];
}
