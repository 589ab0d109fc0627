/** What was aimed at, computed from a report. */
import { BARE, NGINX, PLAIN, SEALED, SEALED_REDIS } from '../chains/index.mjs';
import { digits, majorOf, markdownTable } from './results.mjs';

const GET = 'GET 1 KiB';
const POST = 'POST 1 KiB';
const INBOUND = 1;
/** From this version on Node.js spends about half of what it spent before, and more is asked for. */
const FAST_MAJOR = 26;

const cpu = (load) => (report) =>
  report.small[load][SEALED].cpuMicros / report.small[load][PLAIN].cpuMicros;
const bulk = (direction, other) => (report) =>
  report.bulk[SEALED][direction].mibPerSecond / report.bulk[other][direction].mibPerSecond;
const always = (limit) => ({ before: limit, since: limit });

const TARGETS = [
  {
    title: 'CPU, GET of 1 KiB: times the plain Fastify chain',
    most: { before: 1.6, since: 1.1 },
    stretch: { before: 1.2, since: 0.9 },
    value: cpu(GET),
  },
  {
    title: 'CPU, POST of 1 KiB: times the plain Fastify chain',
    most: { before: 1.6, since: 1.1 },
    stretch: { before: 1.2, since: 0.9 },
    value: cpu(POST),
  },
  {
    title: 'Requests/s, GET of 1 KiB: times the plain Fastify chain',
    least: { before: 0.65, since: 0.9 },
    value: ({ small }) => small[GET][SEALED].perSecond / small[GET][PLAIN].perSecond,
  },
  {
    title: 'CPU, GET of 1 KiB: with Redis, times with memory',
    most: always(1.25),
    value: ({ small }) => small[GET][SEALED_REDIS].cpuMicros / small[GET][SEALED].cpuMicros,
  },
  ...['down', 'up'].flatMap((direction) => [
    {
      title: `64 MiB ${direction}: times the plain Fastify chain's speed`,
      least: always(0.75),
      stretch: always(1),
      value: bulk(direction, PLAIN),
    },
    {
      title: `64 MiB ${direction}: times the speed of nginx with mutual TLS`,
      least: always(0.45),
      stretch: always(0.6),
      value: bulk(direction, NGINX),
    },
  ]),
  {
    title: 'p50 at 300/s: ms above the plain Fastify chain',
    most: always(0.5),
    value: ({ latency }) => latency[SEALED].p50 - latency[PLAIN].p50,
  },
  {
    title: 'p99 at 300/s: times the plain Fastify chain',
    most: always(1.5),
    value: ({ latency }) => latency[SEALED].p99 / latency[PLAIN].p99,
  },
  {
    title: 'CPU of the tunnel route in Nest: times that on bare Fastify',
    most: { before: 1.7, since: 1.4 },
    value: ({ small }) =>
      small[GET][SEALED].hopMicros[INBOUND] / small[GET][BARE].hopMicros[INBOUND],
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

/** In the load that takes most. */
function loadedMib({ small }) {
  return Math.max(...Object.values(small).map((load) => load[SEALED].residentMib));
}

function judge({ most, least, stretch, value }, report) {
  const era = majorOf(report) < FAST_MAJOR ? 'before' : 'since';
  const is = value(report);
  const reaches = (limit) => (most === undefined ? is >= limit[era] : is <= limit[era]);
  const limit = most ?? least;
  const verdict = reaches(limit) ? 'met' : '**not met**';
  const beyond = stretch !== undefined && reaches(stretch) ? ' with stretch' : '';
  return [digits(is), `${most === undefined ? '≥' : '≤'} ${limit[era]}`, verdict + beyond];
}

/** Targets as rows, each report with what is, what was aimed at, and whether that is met. */
export function targetsTable(reports) {
  const head = reports.flatMap((report) => [`Node.js ${majorOf(report)}`, 'target', 'met']);
  const rows = TARGETS.map((target) => [
    target.title,
    ...reports.flatMap((report) => judge(target, report)),
  ]);
  return markdownTable(['', ...head], rows);
}
