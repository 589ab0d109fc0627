/** How cost grows, as tables. */
import { PLAIN, SEALED } from '../chains/index.mjs';
import {
  NODE,
  TRANSFER_HEAD,
  digits,
  markdownTable,
  rows,
  transfer,
  withSpread,
} from './results.mjs';

const request = (found) => [digits(found.perSecond), withSpread(found.cpuMicros, found.spread)];

export function growth(reports) {
  const session = (name) => (report) => report.sessions[name];
  const store = ({ p50Micros, p99Micros, usedMib }) => [p50Micros, p99Micros, usedMib].map(digits);
  return [
    'More connections, GET of 1 KiB:',
    markdownTable(
      ['Connections', NODE, 'sealed, requests/s', 'CPU µs', 'plain Fastify, requests/s', 'CPU µs'],
      rows(
        reports,
        ({ connections }) => connections,
        (found) => [...request(found[SEALED]), ...request(found[PLAIN])],
      ),
    ),
    'More relays behind one, GET of 1 KiB:',
    markdownTable(
      ['Peers', NODE, 'requests/s', 'CPU µs', 'RSS, MiB'],
      rows(
        reports,
        ({ peers }) => peers,
        ({ [SEALED]: found }) => [...request(found), digits(found.residentMib)],
      ),
    ),
    ...[SEALED, PLAIN].flatMap((name) => [
      `Larger bodies, four at once, ${name}:`,
      markdownTable(
        ['KiB', NODE, ...TRANSFER_HEAD],
        rows(
          reports,
          ({ bodies }) => bodies,
          ({ [name]: { down, up } }) => [...transfer(down), ...transfer(up)],
        ),
      ),
    ]),
    ...['memory', 'redis'].flatMap((name) => [
      name === 'memory'
        ? 'More sessions in memory, OPEN and MARK of one; RSS of the process:'
        : 'More sessions in Redis, OPEN and MARK of one; memory that Redis uses:',
      markdownTable(
        ['Sessions', NODE, 'p50, µs', 'p99, µs', 'MiB'],
        rows(reports, session(name), store),
      ),
    ]),
  ];
}
