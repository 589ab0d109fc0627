/** The targets, and whether a report meets them. */
import { BARE, NGINX, PLAIN, SEALED, SEALED_REDIS } from '../chains/index.mjs';
import { digits, figureOf, majorOf, markdownTable } from './results.mjs';

/** @import { Cell, Report } from './results.mjs' */

/**
 * The limits for Node.js before and since FAST_MAJOR.
 *
 * @typedef {{ before: number, since: number }} Limits
 */

/**
 * A target has either an upper or a lower limit.
 *
 * @typedef {object} Target
 * @property {string} title
 * @property {Limits} [most]
 * @property {Limits} [least]
 * @property {Limits} [stretch] - a stricter limit, which is worth a mention if it is met
 * @property {(report: Report) => number} value
 */

const GET = 'GET 1 KiB';
const POST = 'POST 1 KiB';
const INBOUND = 1;
/** From this version on, Node.js needs about half the CPU time of earlier versions, so the targets are stricter. */
const FAST_MAJOR = 26;

/**
 * @param {Report} report
 * @param {string} load
 * @param {string} chain
 */
const slicesOf = ({ small }, load, chain) => figureOf(figureOf(small, load), chain);

/**
 * CPU time of the sealed chain, as a multiple of the plain one.
 *
 * @param {string} load
 * @returns {Target['value']}
 */
const cpu = (load) => (report) =>
  slicesOf(report, load, SEALED).cpuMicros / slicesOf(report, load, PLAIN).cpuMicros;

/**
 * Speed of the sealed chain, as a multiple of another one.
 *
 * @param {'down' | 'up'} direction
 * @param {string} other
 * @returns {Target['value']}
 */
const bulk =
  (direction, other) =>
  ({ bulk: all }) =>
    figureOf(all, SEALED)[direction].mibPerSecond / figureOf(all, other)[direction].mibPerSecond;

/**
 * @param {number} limit
 * @returns {Limits}
 */
const always = (limit) => ({ before: limit, since: limit });

/** @type {Target[]} */
const TARGETS = [
  {
    title: 'CPU time, GET of 1 KiB, relative to the plain Fastify chain',
    most: { before: 1.6, since: 1.1 },
    stretch: { before: 1.2, since: 0.9 },
    value: cpu(GET),
  },
  {
    title: 'CPU time, POST of 1 KiB, relative to the plain Fastify chain',
    most: { before: 1.6, since: 1.1 },
    stretch: { before: 1.2, since: 0.9 },
    value: cpu(POST),
  },
  {
    title: 'Requests/s, GET of 1 KiB, relative to the plain Fastify chain',
    least: { before: 0.65, since: 0.9 },
    value: (report) =>
      slicesOf(report, GET, SEALED).perSecond / slicesOf(report, GET, PLAIN).perSecond,
  },
  {
    title: 'CPU time, GET of 1 KiB, Redis relative to memory',
    most: always(1.25),
    value: (report) =>
      slicesOf(report, GET, SEALED_REDIS).cpuMicros / slicesOf(report, GET, SEALED).cpuMicros,
  },
  .../** @type {const} */ (['down', 'up']).flatMap((direction) => [
    {
      title: `Speed, 64 MiB ${direction}, relative to the plain Fastify chain`,
      least: always(0.75),
      stretch: always(1),
      value: bulk(direction, PLAIN),
    },
    {
      title: `Speed, 64 MiB ${direction}, relative to nginx with mutual TLS`,
      least: always(0.45),
      stretch: always(0.6),
      value: bulk(direction, NGINX),
    },
  ]),
  {
    title: 'p50 at 300/s, ms above the plain Fastify chain',
    most: always(0.5),
    value: ({ latency }) => figureOf(latency, SEALED).p50 - figureOf(latency, PLAIN).p50,
  },
  {
    title: 'p99 at 300/s, relative to the plain Fastify chain',
    most: always(1.5),
    value: ({ latency }) => figureOf(latency, SEALED).p99 / figureOf(latency, PLAIN).p99,
  },
  {
    title: 'CPU time of the tunnel route, Nest relative to bare Fastify',
    most: { before: 1.7, since: 1.4 },
    value: (report) => inboundMicros(report, SEALED) / inboundMicros(report, BARE),
  },
  {
    title: 'RSS of a relay at 32 connections, MiB',
    most: always(160),
    value: loadedMib,
  },
  {
    title: 'RSS that 1,000 idle event streams add, MiB',
    most: always(60),
    value: ({ streams }) => streams.added,
  },
  {
    title: 'Cold start to ready, s',
    most: always(1.5),
    value: ({ starts }) => starts.coldStartMs / 1000,
  },
];

/**
 * The memory of the larger relay in the load that needs most.
 *
 * @param {Report} report
 */
function loadedMib({ small }) {
  return Math.max(...Object.values(small).map((load) => figureOf(load, SEALED).residentMib));
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
  const era = majorOf(report) < FAST_MAJOR ? 'before' : 'since';
  const limits = most ?? least;
  if (limits === undefined) {
    throw new Error('a target has no limit');
  }
  const is = value(report);
  /** @param {Limits} limit */
  const reaches = (limit) => (most === undefined ? is >= limit[era] : is <= limit[era]);
  const verdict = reaches(limits) ? 'met' : '**not met**';
  const beyond = stretch !== undefined && reaches(stretch) ? ' with stretch' : '';
  return [digits(is), `${most === undefined ? '≥' : '≤'} ${limits[era]}`, verdict + beyond];
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
