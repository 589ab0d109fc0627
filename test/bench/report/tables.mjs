/** The figures of all reports, side by side. */
import { BARE, DIRECT, MESSAGES } from '../chains/index.mjs';
import { growth } from './growth-tables.mjs';
import {
  NODE,
  TRANSFER_HEAD,
  digits,
  figureOf,
  majorOf,
  markdownTable,
  rows,
  transfer,
  withSpread,
} from './results.mjs';

/** @import { LatencySummary } from '../measure/latency.mjs' */
/** @import { SliceSummary } from '../measure/slices.mjs' */
/** @import { Cell, Report } from './results.mjs' */

/** @param {Report[]} reports */
function costs(reports) {
  const loads = [...new Set(reports.flatMap(({ small }) => Object.keys(small)))];
  /**
   * The chains of the first load, which are all chains.
   *
   * @param {Report} report
   */
  const chains = ({ small }) => small[loads[0] ?? ''] ?? {};
  /** @param {(found: SliceSummary, name: string) => Cell} cell */
  const ofEachLoad =
    (cell) =>
    /**
     * @param {SliceSummary} _
     * @param {string} name
     * @param {Report} report
     */
    (_, name, { small }) =>
      loads.map((load) => {
        const found = small[load]?.[name];
        return found === undefined ? '–' : cell(found, name);
      });
  const cpuTime = ofEachLoad(({ cpuMicros, spread }, name) =>
    name === DIRECT ? '–' : withSpread(cpuMicros, spread),
  );
  const throughput = ofEachLoad(({ perSecond }) => digits(perSecond));
  return [
    'CPU time of both hops per request in µs (spread), at 32 connections:',
    markdownTable(['Chain', NODE, ...loads], rows(reports, chains, cpuTime)),
    'Requests per second:',
    markdownTable(['Chain', NODE, ...loads], rows(reports, chains, throughput)),
  ];
}

/** @param {Report[]} reports */
function nestLayer(reports) {
  /** @type {Record<string, number>} */
  const hops = { 'outbound, with its guard': 0, 'tunnel, with its interceptor': 1 };
  return [
    'CPU time of one hop for a GET of 1 KiB in µs:',
    markdownTable(
      ['Route', NODE, 'Nest', 'bare Fastify', 'ratio'],
      rows(
        reports,
        () => hops,
        (hop, _, { small }) => {
          const ofBoth = figureOf(small, 'GET 1 KiB');
          const nest = figureOf(ofBoth, MESSAGES).hopMicros[hop] ?? NaN;
          const bare = figureOf(ofBoth, BARE).hopMicros[hop] ?? NaN;
          return [digits(nest), digits(bare), digits(nest / bare)];
        },
      ),
    ),
  ];
}

/** @param {LatencySummary} summary */
const percentiles = ({ p50, p99, p999, p50Spread, p99Spread, samples }) => [
  withSpread(p50, p50Spread),
  withSpread(p99, p99Spread),
  digits(p999),
  digits(samples),
];

/** @param {Report[]} reports */
function latency(reports) {
  return [
    'Latency at 300 requests per second in ms (spread between rounds):',
    markdownTable(
      ['Chain', NODE, 'p50', 'p99', 'p99.9', 'requests'],
      rows(reports, (report) => report.latency, percentiles),
    ),
  ];
}

/** @param {Report[]} reports */
function bulk(reports) {
  return [
    'One body of 64 MiB at a time (spread):',
    markdownTable(
      ['Chain', NODE, ...TRANSFER_HEAD],
      rows(
        reports,
        (report) => report.bulk,
        ({ down, up }) => [...transfer(down), ...transfer(up)],
      ),
    ),
  ];
}

/** @param {Report[]} reports */
function besideTransfers(reports) {
  return [
    'p99 of a GET of 1 KiB at 100 requests per second in ms, alone and beside eight transfers of 64 MiB:',
    markdownTable(
      ['Chain', NODE, 'alone', 'beside'],
      rows(
        reports,
        (report) => report.beside,
        ({ alone, beside }) => [digits(alone), digits(beside)],
      ),
    ),
  ];
}

/** @param {Report[]} reports */
function idleChannels(reports) {
  return [
    'Channels on which nothing happens, at one inbound relay:',
    markdownTable(
      [NODE, 'peers', 'channels', 'KiB per channel', '% of a core'],
      reports.map((report) => {
        const { peers, channels, kibPerChannel, cpuShare } = report.idle;
        const figures = [peers, channels, kibPerChannel, cpuShare * 100].map(digits);
        return [majorOf(report), ...figures];
      }),
    ),
  ];
}

/** @param {Report[]} reports */
function webSockets(reports) {
  return [
    'Messages of 1 KiB that the API sends back, one at a time on each of 32 connections; CPU time of both hops for each (spread):',
    markdownTable(
      ['Chain', NODE, 'CPU µs', 'messages/s', 'RSS of the larger hop, MiB'],
      rows(
        reports,
        ({ upgrades }) => upgrades?.echo ?? {},
        ({ cpuMicros, spread, perSecond, residentMib }) => [
          withSpread(cpuMicros, spread),
          digits(perSecond),
          digits(residentMib),
        ],
      ),
    ),
    'Their latency at 1,000 messages per second in ms (spread between rounds):',
    markdownTable(
      ['Chain', NODE, 'p50', 'p99', 'p99.9', 'messages'],
      rows(reports, ({ upgrades }) => upgrades?.latency ?? {}, percentiles),
    ),
    '256 MiB in messages of 64 KiB on one WebSocket (spread):',
    markdownTable(
      ['Chain', NODE, ...TRANSFER_HEAD],
      rows(
        reports,
        ({ upgrades }) => upgrades?.bulk ?? {},
        ({ down, up }) => [...transfer(down), ...transfer(up)],
      ),
    ),
    'RSS that WebSockets add on which nothing happens, in MiB:',
    markdownTable(
      [NODE, 'WebSockets', 'outbound relay', 'inbound relay'],
      reports.flatMap(({ upgrades, ...report }) =>
        upgrades === undefined
          ? []
          : [[majorOf(report), ...[upgrades.idle.count, ...upgrades.idle.addedMib].map(digits)]],
      ),
    ),
  ];
}

/** @param {Report[]} reports */
function memory(reports) {
  /**
   * @param {number} rest
   * @param {string} name
   * @param {Report} report
   */
  const row = (rest, name, { small, peakMib }) => [
    digits(rest),
    digits(figureOf(figureOf(small, 'GET 1 KiB'), name).residentMib),
    digits(Math.max(...Object.values(small).map((load) => figureOf(load, name).residentMib))),
    digits(peakMib[name]),
  ];
  return [
    'RSS of the larger hop in MiB:',
    markdownTable(
      ['Chain', NODE, 'at rest', 'GET 1 KiB', 'highest of all loads', 'peak'],
      rows(reports, ({ restMib }) => restMib, row),
    ),
  ];
}

/** @param {Report[]} reports */
function beginnings(reports) {
  /** @param {Report} report */
  const row = ({ streams, starts: { coldStartMs, pairingMs } }) => [
    digits(coldStartMs),
    digits(pairingMs.first),
    digits(pairingMs.later),
    digits(streams.added),
  ];
  return [
    markdownTable(
      [NODE, 'start to ready, ms', 'first pairing', 'later pairings', '1,000 streams, MiB'],
      reports.map((report) => [majorOf(report), ...row(report)]),
    ),
  ];
}

/**
 * All tables, by heading.
 *
 * @param {Report[]} reports
 * @returns {Record<string, string[]>}
 */
export const tables = (reports) => ({
  'Cost of a request': costs(reports),
  "Nest's share": nestLayer(reports),
  Latency: latency(reports),
  'Bulk data': bulk(reports),
  'Small requests beside large ones': besideTransfers(reports),
  'Idle channels': idleChannels(reports),
  WebSockets: webSockets(reports),
  Memory: memory(reports),
  'Starting, pairing, event streams': beginnings(reports),
  'How costs grow': growth(reports),
});
