import { sumLatencies, type RefusalStatus, type TrafficCounts } from '@relay/status';

import { IntervalRing } from './interval-ring.js';

const SECOND_MS = 1_000;
const RATE_SECONDS = 10;
const LATENCY_INTERVAL_MS = 10_000;
const LATENCY_INTERVALS = 6;

/** What was counted of one peer or client, or of all of them. */
export class PartyTraffic {
  lastAtMs = 0;
  lastRefusal: RefusalStatus | undefined;
  private requests = 0;
  private errors = 0;
  /** The seconds of the rate, and the one that has begun. */
  private readonly seconds = new IntervalRing(RATE_SECONDS + 1, SECOND_MS);
  private readonly lastMinute = new IntervalRing(LATENCY_INTERVALS, LATENCY_INTERVAL_MS);

  /** Counts a request that has ended. @param bucket - of the time that it took */
  add(atMs: number, bucket: number, isError: boolean): void {
    this.lastAtMs = atMs;
    this.requests += 1;
    this.errors += isError ? 1 : 0;
    this.seconds.add(atMs, bucket, isError);
    this.lastMinute.add(atMs, bucket, isError);
  }

  counts(nowMs: number): TrafficCounts {
    const seconds = this.seconds.upTo(nowMs - SECOND_MS, RATE_SECONDS);
    const minute = this.lastMinute.upTo(nowMs, LATENCY_INTERVALS);
    return {
      requests: this.requests,
      errors: this.errors,
      requestsPerSecond:
        seconds.reduce((total, { requests }) => total + requests, 0) / RATE_SECONDS,
      errorsPerSecond: seconds.reduce((total, { errors }) => total + errors, 0) / RATE_SECONDS,
      latencies: sumLatencies(minute.map(({ latencies }) => latencies)),
    };
  }
}

/** What was counted of a party that has made no request. */
export const NO_TRAFFIC: TrafficCounts = {
  requests: 0,
  errors: 0,
  requestsPerSecond: 0,
  errorsPerSecond: 0,
  latencies: [],
};
