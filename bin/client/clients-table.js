import { daysLeft, readDate } from './expiry.js';

/** @import { FileClient } from './directory-document.js' */

/** As many digits of a SHA-256 as the relay logs: enough to tell the tokens of one file apart. */
const DIGITS = 8;
const HEAD = ['client', 'tokens', 'token', 'expires', 'days left', 'peers', 'limits'];

/**
 * A line for each token; what concerns its client is in the first of them.
 *
 * @param {readonly [string, FileClient][]} clients
 * @param {number} nowMs
 */
export function clientsTable(clients, nowMs) {
  const rows = clients.flatMap(([name, { tokens, peers, limits }]) => {
    const ofTokens = tokens.map(({ sha256, expires }) => [
      String(sha256).slice(0, DIGITS).toLowerCase(),
      ...expiryCells(expires, nowMs),
    ]);
    const [first = ['none', '', ''], ...rest] = ofTokens;
    return [
      [name, String(tokens.length), ...first, peers?.join(', ') ?? 'all', limitsCell(limits)],
      ...rest.map((cells) => ['', '', ...cells, '', '']),
    ];
  });
  return aligned([HEAD, ...rows]);
}

/**
 * @param {string | undefined} expires
 * @param {number} nowMs
 */
function expiryCells(expires, nowMs) {
  if (expires === undefined || expires === null) {
    return ['never', ''];
  }
  const ms = readDate(String(expires));
  if (ms === undefined) {
    return [String(expires), 'not a date'];
  }
  return [String(expires), ms <= nowMs ? 'expired' : String(daysLeft(ms, nowMs))];
}

/** @param {FileClient['limits']} limits */
function limitsCell({ requestsPerSecond, concurrent } = {}) {
  const cells = [
    ...(requestsPerSecond === undefined ? [] : [`${requestsPerSecond} per second`]),
    ...(concurrent === undefined ? [] : [`${concurrent} at once`]),
  ];
  return cells.length === 0 ? 'none' : cells.join(', ');
}

/** @param {string[][]} rows */
function aligned(rows) {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
