/** The figures of all reports, side by side. */
import { BARE, DIRECT, SEALED } from '../chains/index.mjs';
import { growth } from './growth-tables.mjs';
import {
  NODE,
  TRANSFER_HEAD,
  digits,
  majorOf,
  markdownTable,
  rows,
  transfer,
  withSpread,
} from './results.mjs';

function costs(reports) {
  const loads = [...new Set(reports.flatMap(({ small }) => Object.keys(small)))];
  const chains = ({ small }) => Object.fromEntries(Object.keys(small[loads[0]]).map((n) => [n, n]));
  const figure =
    (property) =>
    (name, _, { small }) =>
      loads.map((load) => {
        const found = small[load]?.[name];
        if (found === undefined || (property === 'cpuMicros' && name === DIRECT)) return '–';
        const value = found[property];
        return property === 'cpuMicros' ? withSpread(value, found.spread) : digits(value);
      });
  return [
    'CPU of both hops a request in µs (spread), at 32 connections:',
    markdownTable(['Chain', NODE, ...loads], rows(reports, chains, figure('cpuMicros'))),
    'Requests a second:',
    markdownTable(['Chain', NODE, ...loads], rows(reports, chains, figure('perSecond'))),
  ];
}

function nestLayer(reports) {
  const hops = ['outbound, with its guard', 'tunnel, with its interceptor'];
  const row = (at, _, { small }) => {
    const [nest, bare] = [SEALED, BARE].map((name) => small['GET 1 KiB'][name].hopMicros[at]);
    return [digits(nest), digits(bare), digits(nest / bare)];
  };
  const byHop = () => Object.fromEntries(hops.map((name, at) => [name, at]));
  return [
    'CPU of one hop for a GET of 1 KiB in µs:',
    markdownTable(['Route', NODE, 'Nest', 'bare Fastify', 'ratio'], rows(reports, byHop, row)),
  ];
}

function latency(reports) {
  const row = ({ p50, p99, p999, p50Spread, p99Spread, samples }) => [
    withSpread(p50, p50Spread),
    withSpread(p99, p99Spread),
    digits(p999),
    digits(samples),
  ];
  return [
    'Latency at 300 requests a second in ms (spread between rounds):',
    markdownTable(
      ['Chain', NODE, 'p50', 'p99', 'p99.9', 'requests'],
      rows(reports, (report) => report.latency, row),
    ),
  ];
}

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

function memory(reports) {
  const row = (rest, name, { small, peakMib }) => [
    digits(rest),
    digits(small['GET 1 KiB'][name].residentMib),
    digits(Math.max(...Object.values(small).map((load) => load[name].residentMib))),
    digits(peakMib[name]),
  ];
  return [
    'RSS of the larger hop in MiB:',
    markdownTable(
      ['Chain', NODE, 'at rest', 'GET 1 KiB', 'most of all loads', 'peak'],
      rows(reports, ({ restMib }) => restMib, row),
    ),
  ];
}

function beginnings(reports) {
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

/** All tables, by heading. */
export const tables = (reports) => ({
  'Cost of a request': costs(reports),
  "Nest's share": nestLayer(reports),
  Latency: latency(reports),
  'Bulk data': bulk(reports),
  Memory: memory(reports),
  'Starting, pairing, event streams': beginnings(reports),
  'How cost grows': growth(reports),
});
