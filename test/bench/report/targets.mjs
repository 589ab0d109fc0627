/** The targets, and whether a report meets them. */
import {
  BARE,
  CHANNELS,
  CHANNELS_REDIS,
  HTTP_PROXY,
  MESSAGES,
  NGINX,
  NGINX_PLAIN,
  PLAIN,
} from '../chains/index.mjs';
import { digits, figureOf, majorOf, markdownTable } from './results.mjs';

/** @import { UpgradesSummary } from '../measure/upgrades.mjs' */
/** @import { Cell, Report } from './results.mjs' */

/**
 * A target has either an upper or a lower limit.
 *
 * @typedef {object} Target
 * @property {string} title
 * @property {number} [most]
 * @property {number} [least]
 * @property {number} [stretch] - a stricter limit, which is worth a mention if it is met
 * @property {(report: Report) => number | undefined} value - undefined if the report has no such figure
 */

const GET = 'GET 1 KiB';
const POST = 'POST 1 KiB';
const INBOUND = 1;

/**
 * @param {Report} report
 * @param {string} load
 * @param {string} chain
 */
const slicesOf = ({ small }, load, chain) => figureOf(figureOf(small, load), chain);

/**
 * CPU time of the relays over channels, as a multiple of another chain's.
 *
 * @param {string} load
 * @param {string} other
 * @returns {Target['value']}
 */
const cpu = (load, other) => (report) =>
  slicesOf(report, load, CHANNELS).cpuMicros / slicesOf(report, load, other).cpuMicros;

/**
 * Speed of the relays over channels, as a multiple of another chain.
 *
 * @param {'down' | 'up'} direction
 * @param {string} other
 * @returns {Target['value']}
 */
const bulk =
  (direction, other) =>
  ({ bulk: all }) =>
    figureOf(all, CHANNELS)[direction].mibPerSecond / figureOf(all, other)[direction].mibPerSecond;

/**
 * @param {(upgrades: UpgradesSummary) => number} value
 * @returns {Target['value']}
 */
const upgraded =
  (value) =>
  ({ upgrades }) =>
    upgrades && value(upgrades);

/** @type {Target[]} */
const TARGETS = [
  .../** @type {const} */ ([GET, POST]).flatMap((load) => [
    {
      title: `CPU time, ${load}, relative to the plain Fastify chain`,
      most: 0.8,
      stretch: 0.6,
      value: cpu(load, PLAIN),
    },
    {
      title: `CPU time, ${load}, relative to nginx with mutual TLS`,
      most: 4,
      stretch: 3,
      value: cpu(load, NGINX),
    },
  ]),
  {
    title: 'Requests/s, GET of 1 KiB, relative to the plain Fastify chain',
    least: 1.2,
    stretch: 1.6,
    value: (report) =>
      slicesOf(report, GET, CHANNELS).perSecond / slicesOf(report, GET, PLAIN).perSecond,
  },
  ...[
    { connections: 1, most: 1.3, stretch: 1 },
    { connections: 256, most: 0.8, stretch: 0.6 },
  ].map(({ connections, ...limits }) => ({
    title: `CPU time at ${connections} ${connections === 1 ? 'connection' : 'connections'}, relative to the plain Fastify chain`,
    ...limits,
    /** @param {Report} report */
    value: (report) => {
      const all = figureOf(report.connections, String(connections));
      return figureOf(all, CHANNELS).cpuMicros / figureOf(all, PLAIN).cpuMicros;
    },
  })),
  {
    title: 'CPU time, GET of 1 KiB, Redis relative to memory',
    most: 1.05,
    value: (report) =>
      slicesOf(report, GET, CHANNELS_REDIS).cpuMicros / slicesOf(report, GET, CHANNELS).cpuMicros,
  },
  .../** @type {const} */ (['down', 'up']).flatMap((direction) => [
    {
      title: `Speed, 64 MiB ${direction}, relative to the plain Fastify chain`,
      least: 0.9,
      stretch: 1,
      value: bulk(direction, PLAIN),
    },
    {
      title: `Speed, 64 MiB ${direction}, relative to nginx with mutual TLS`,
      least: 0.6,
      stretch: 0.8,
      value: bulk(direction, NGINX),
    },
  ]),
  {
    title: 'p50 at 300/s, ms above the plain Fastify chain',
    most: 0.3,
    value: ({ latency }) => figureOf(latency, CHANNELS).p50 - figureOf(latency, PLAIN).p50,
  },
  {
    title: 'p99 at 300/s, relative to the plain Fastify chain',
    most: 1.2,
    value: ({ latency }) => figureOf(latency, CHANNELS).p99 / figureOf(latency, PLAIN).p99,
  },
  {
    title: 'p99 beside eight transfers of 64 MiB, relative to that without them',
    most: 5,
    stretch: 2,
    value: ({ beside }) => figureOf(beside, CHANNELS).beside / figureOf(beside, CHANNELS).alone,
  },
  {
    title: 'CPU time of the tunnel route for messages, Nest relative to bare Fastify',
    most: 1.4,
    value: (report) => inboundMicros(report, MESSAGES) / inboundMicros(report, BARE),
  },
  {
    title: 'RSS of a relay at 32 connections, MiB',
    most: 160,
    value: loadedMib,
  },
  {
    title: 'RSS that 1,000 idle event streams add, MiB',
    most: 40,
    value: ({ streams }) => streams.added,
  },
  {
    title: 'RSS of an idle channel, KiB',
    most: 100,
    stretch: 50,
    value: ({ idle }) => idle.kibPerChannel,
  },
  {
    title: 'CPU time of all idle channels, % of a core',
    most: 3,
    stretch: 1,
    value: ({ idle }) => idle.cpuShare * 100,
  },
  {
    title: 'WebSockets, p50 of an echo of 1 KiB at 1,000/s, ms above nginx in plaintext',
    most: 0.5,
    value: upgraded(
      ({ latency }) => figureOf(latency, CHANNELS).p50 - figureOf(latency, NGINX_PLAIN).p50,
    ),
  },
  {
    title: 'WebSockets, CPU time of an echo of 1 KiB, relative to http-proxy in plaintext',
    most: 1,
    value: upgraded(
      ({ echo }) => figureOf(echo, CHANNELS).cpuMicros / figureOf(echo, HTTP_PROXY).cpuMicros,
    ),
  },
  .../** @type {const} */ (['down', 'up']).map((direction) => ({
    title: `WebSockets, speed of one, 256 MiB ${direction}, relative to nginx with mutual TLS`,
    least: 0.5,
    value: upgraded(
      ({ bulk: all }) =>
        figureOf(all, CHANNELS)[direction].mibPerSecond /
        figureOf(all, NGINX)[direction].mibPerSecond,
    ),
  })),
  {
    title: 'WebSockets, RSS that 1,000 idle ones add to a relay, MiB',
    most: 40,
    value: upgraded(({ idle }) => Math.max(...idle.addedMib)),
  },
  {
    title: 'Cold start to ready, s',
    most: 1.5,
    value: ({ starts }) => starts.coldStartMs / 1000,
  },
];

/**
 * The memory of the larger relay in the load that needs most.
 *
 * @param {Report} report
 */
function loadedMib({ small }) {
  return Math.max(...Object.values(small).map((load) => figureOf(load, CHANNELS).residentMib));
}

/**
 * @param {Report} report
 * @param {string} chain
 */
function inboundMicros(report, chain) {
  return slicesOf(report, GET, chain).hopMicros[INBOUND] ?? NaN;
}

/**
 * @param {Target} target
 * @param {Report} report
 * @returns {Cell[]} the value, the limit, and whether it is met
 */
function judge({ most, least, stretch, value }, report) {
  const limit = most ?? least;
  if (limit === undefined) {
    throw new Error('a target has no limit');
  }
  const target = `${most === undefined ? '≥' : '≤'} ${limit}`;
  const is = value(report);
  if (is === undefined) {
    return ['–', target, '–'];
  }
  /** @param {number} bound */
  const reaches = (bound) => (most === undefined ? is >= bound : is <= bound);
  const verdict = reaches(limit) ? 'met' : '**not met**';
  const beyond = stretch !== undefined && reaches(stretch) ? ' with stretch' : '';
  return [digits(is), target, verdict + beyond];
}

/**
 * One row for each target. Each report has columns for the value, the limit, and whether the limit is met.
 *
 * @param {Report[]} reports
 */
export function targetsTable(reports) {
  const head = reports.flatMap((report) => [`Node.js ${majorOf(report)}`, 'target', 'met']);
  const rows = TARGETS.map((target) => [
    target.title,
    ...reports.flatMap((report) => judge(target, report)),
  ]);
  return markdownTable(['', ...head], rows);
}
