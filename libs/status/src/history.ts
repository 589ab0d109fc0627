import { percentileMs, sumLatencies, type Latencies } from './latencies.js';
import { INTERVAL_SECONDS, MAX_INTERVALS, type TrafficHistory } from './status-report.js';

/** What one process counted in one interval. */
export interface IntervalCounts {
  /** When it began: seconds since 1970, a multiple of `INTERVAL_SECONDS`. */
  readonly second: number;
  readonly requests: number;
  readonly errors: number;
  readonly latencies: Latencies;
}

/** The intervals of one process in which there were requests, oldest first. */
export type ProcessHistory = readonly IntervalCounts[];

/** Adds what several processes counted in the same intervals. */
export function sumHistories(parts: readonly ProcessHistory[]): ProcessHistory {
  const bySecond = new Map<number, IntervalCounts[]>();
  for (const interval of parts.flat()) {
    const same = bySecond.get(interval.second);
    if (same === undefined) {
      bySecond.set(interval.second, [interval]);
    } else {
      same.push(interval);
    }
  }
  return [...bySecond]
    .sort(([one], [other]) => one - other)
    .map(([second, same]) => ({
      second,
      requests: same.reduce((sum, { requests }) => sum + requests, 0),
      errors: same.reduce((sum, { errors }) => sum + errors, 0),
      latencies: sumLatencies(same.map(({ latencies }) => latencies)),
    }));
}

/** When the interval of a moment began: seconds since 1970. */
export function intervalOf(atMs: number): number {
  return Math.floor(atMs / 1_000 / INTERVAL_SECONDS) * INTERVAL_SECONDS;
}

/**
 * The history of the last hour, up to the last interval that is complete.
 *
 * @param startedAtMs - of the relay, before which there is nothing: milliseconds since 1970
 */
export function trafficHistory(
  history: ProcessHistory,
  startedAtMs: number,
  nowMs: number,
): TrafficHistory {
  const end = intervalOf(nowMs);
  const first = Math.max(intervalOf(startedAtMs), end - MAX_INTERVALS * INTERVAL_SECONDS);
  const known = new Map(history.map((interval) => [interval.second, interval]));
  const seconds: number[] = [];
  for (let second = first; second < end; second += INTERVAL_SECONDS) {
    seconds.push(second);
  }
  const percentile = (second: number, share: number): number | null =>
    percentileMs(known.get(second)?.latencies ?? [], share) ?? null;
  return {
    seconds,
    requests: seconds.map((second) => known.get(second)?.requests ?? 0),
    errors: seconds.map((second) => known.get(second)?.errors ?? 0),
    p50Ms: seconds.map((second) => percentile(second, 0.5)),
    p99Ms: seconds.map((second) => percentile(second, 0.99)),
  };
}
