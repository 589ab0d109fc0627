/** How to read a report, and how to write its figures. */

/** @import { BodiesSummary, TransferSummary } from '../measure/bodies.mjs' */
/** @import { BesideSummary } from '../measure/beside.mjs' */
/** @import { IdleSummary } from '../measure/idle-channels.mjs' */
/** @import { LatencySummary } from '../measure/latency.mjs' */
/** @import { SliceSummary } from '../measure/slices.mjs' */
/** @import { StoreFigures } from '../measure/store.mjs' */
/** @import { UpgradesSummary } from '../measure/upgrades.mjs' */
/** @import { Plan } from '../plan.mjs' */
/** @import { Machine, Versions } from './versions.mjs' */

/**
 * What each part of the benchmark measured, by the name of the part. In records of records, the outer key is what
 * varies (a load, a number, a size) and the inner key is a chain.
 *
 * @typedef {object} Figures
 * @property {Record<string, number>} restMib
 * @property {Record<string, Record<string, SliceSummary>>} small
 * @property {Record<string, LatencySummary>} latency
 * @property {Record<string, BodiesSummary>} bulk
 * @property {Record<string, number>} peakMib
 * @property {Record<string, BesideSummary>} beside
 * @property {IdleSummary} idle
 * @property {{ count: number, before: number, after: number, added: number }} streams
 * @property {UpgradesSummary} [upgrades] - no older report has it
 * @property {Record<string, Record<string, SliceSummary>>} connections
 * @property {Record<string, Record<string, SliceSummary>>} peers
 * @property {Record<string, Record<string, BodiesSummary>>} bodies
 * @property {{ coldStartMs: number, pairingMs: { first: number, later: number } }} starts
 * @property {{ memory: Record<string, StoreFigures>, redis: Record<string, StoreFigures> }} sessions
 */

/**
 * Figures, and where they come from.
 *
 * @typedef {{ measuredOn: string, machine: Machine, versions: Versions, plan: Plan, seconds: number } & Figures} Report
 */

/** @typedef {string | number} Cell */

/** @param {Report} report */
export const majorOf = ({ versions }) => Number(versions.node.split('.')[0]);

/**
 * @template T
 * @param {Record<string, T>} figures
 * @param {string} key
 * @returns {T}
 * @throws if there is no such figure
 */
export function figureOf(figures, key) {
  const found = figures[key];
  if (found === undefined) {
    throw new Error(`the report has no figure of ${key}`);
  }
  return found;
}

/**
 * A figure with its meaningful digits: no decimals from 100 on, one from 10 on, otherwise two.
 *
 * @param {number | null | undefined} value
 */
export function digits(value) {
  if (value === undefined || value === null || !Number.isFinite(value)) {
    return '–';
  }
  const places = [10, 100].filter((limit) => Math.abs(value) >= limit).length;
  return value.toLocaleString('en-US', {
    maximumFractionDigits: 2 - places,
    minimumFractionDigits: 2 - places,
  });
}

/** @param {number} share */
const percent = (share) => `${Math.round(share * 100)} %`;

/** @param {Cell} text */
const escaped = (text) => String(text).replaceAll('|', '\\|');

/**
 * @param {Cell[]} head
 * @param {Cell[][]} body
 */
export function markdownTable(head, body) {
  /** @param {Cell[]} cells */
  const line = (cells) => `| ${cells.map(escaped).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...body.map(line)].join('\n');
}

export const NODE = 'Node.js';

/**
 * One row for each key and report. The reports of one key are below each other.
 *
 * @template T
 * @param {Report[]} reports
 * @param {(report: Report) => Record<string, T>} part
 * @param {(figure: T, key: string, report: Report) => Cell[]} cells
 * @returns {Cell[][]}
 */
export function rows(reports, part, cells) {
  const keys = new Set(reports.flatMap((report) => Object.keys(part(report))));
  return [...keys].flatMap((key) =>
    reports.flatMap((report) => {
      const figure = part(report)[key];
      return figure === undefined ? [] : [[key, majorOf(report), ...cells(figure, key, report)]];
    }),
  );
}

/**
 * @param {number} value
 * @param {number} spread
 */
export const withSpread = (value, spread) => `${digits(value)} (${percent(spread)})`;

/**
 * Speed and CPU time of transfers in one direction.
 *
 * @param {TransferSummary} summary
 */
export const transfer = ({ mibPerSecond, cpuMillisPerMib, spread }) => [
  withSpread(mibPerSecond, spread),
  cpuMillisPerMib > 0 ? digits(cpuMillisPerMib) : '–',
];
export const TRANSFER_HEAD = ['down, MiB/s', 'CPU ms/MiB', 'up, MiB/s', 'CPU ms/MiB'];
