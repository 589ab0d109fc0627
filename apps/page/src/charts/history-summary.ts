import { INTERVAL_SECONDS, type TrafficHistory } from '@relay/status';

import { count, counted, decimal, milliseconds } from '../text/quantities.js';
import { minuteOf } from '../text/times.js';

const MS = 1000;
const MINUTES = 5;
const PERCENT = 100;

/**
 * The same as a chart shows, in a sentence.
 *
 * @param hasRequestsNow - whether there are requests that are not in the history yet
 */
export function requestsSentence(
  { seconds, requests, errors }: TrafficHistory,
  hasRequestsNow: boolean,
): string {
  const total = sum(requests);
  if (total === 0) {
    return hasRequestsNow
      ? 'There are requests now. They appear here when their ten seconds are complete.'
      : 'There were no requests in the last hour.';
  }
  const failed = sum(errors);
  const most = Math.max(...requests);
  const at = minuteOf((seconds[requests.indexOf(most)] ?? 0) * MS);
  const share = failed === 0 ? '' : ` (${decimal((failed / total) * PERCENT)} %)`;
  return (
    `${counted(total, 'request')}, ${counted(failed, 'error')}${share}. ` +
    `The busiest ten seconds were at ${at}, with ${decimal(most / INTERVAL_SECONDS)} requests/s.`
  );
}

/** The same as a chart shows, in a sentence. */
export function timesSentence({ p50Ms, p99Ms, seconds }: TrafficHistory): string {
  const slowest = Math.max(...known(p99Ms));
  if (!Number.isFinite(slowest)) {
    return 'There are no response times yet.';
  }
  const at = minuteOf((seconds[p99Ms.indexOf(slowest)] ?? 0) * MS);
  const middle = known(p50Ms).sort((a, b) => a - b);
  return (
    `p50 was mostly ${milliseconds(middle[Math.floor(middle.length / 2)])}. ` +
    `p99 was highest at ${at}, with ${milliseconds(slowest)}.`
  );
}

/** Five minutes of a history, as a row of texts. */
export type HistoryRow = readonly [time: string, requests: string, errors: string, p99: string];

/** A history in five-minute rows, newest first. p99 is the highest of each. */
export function historyRows({ seconds, requests, errors, p99Ms }: TrafficHistory): HistoryRow[] {
  const rows = new Map<number, number[]>();
  seconds.forEach((second, at) => {
    const start = second - (second % (MINUTES * 60));
    rows.set(start, [...(rows.get(start) ?? []), at]);
  });
  return [...rows].reverse().map(([start, at]) => {
    const of = (values: readonly (number | null)[]): number[] =>
      known(at.map((i) => values[i] ?? null));
    const slowest = Math.max(...of(p99Ms));
    return [
      minuteOf(start * MS),
      count(sum(of(requests))),
      count(sum(of(errors))),
      milliseconds(Number.isFinite(slowest) ? slowest : null),
    ];
  });
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

const known = (values: readonly (number | null)[]): number[] =>
  values.filter((value) => value !== null);
