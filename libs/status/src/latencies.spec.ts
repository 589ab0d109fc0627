import { describe, expect, it } from 'vitest';

import {
  LATENCY_BUCKETS,
  latenciesOf,
  latencyBucket,
  percentileMs,
  sumLatencies,
  type Latencies,
} from './latencies.js';

const latenciesFrom = (durationsMs: readonly number[]): Latencies => {
  const counts = new Uint32Array(LATENCY_BUCKETS);
  for (const ms of durationsMs) {
    counts[latencyBucket(ms)]! += 1;
  }
  return latenciesOf(counts);
};

describe('a percentile', () => {
  it.each([0.3, 1, 7.5, 42, 999, 12_345, 59_000])(
    'of requests that took %s ms each is that time, rounded up by a fifth at most',
    (ms) => {
      const rounded = percentileMs(latenciesFrom([ms, ms, ms]), 0.5)!;
      // The bound itself is shown with three digits.
      expect(rounded).toBeGreaterThanOrEqual(ms * 0.995);
      expect(rounded).toBeLessThanOrEqual(ms * 1.2);
    },
  );

  it('is what that share of the requests did not exceed', () => {
    const latencies = latenciesFrom([...Array<number>(98).fill(10), 1_000, 1_000]);
    expect(percentileMs(latencies, 0.5)).toBeLessThan(12);
    expect(percentileMs(latencies, 0.98)).toBeLessThan(12);
    expect(percentileMs(latencies, 0.99)).toBeGreaterThan(995);
  });

  it('is undefined without requests', () => {
    expect(percentileMs([], 0.5)).toBeUndefined();
  });

  it.each([0, 1e12, Infinity])('survives a duration of %s', (ms) => {
    expect(percentileMs(latenciesFrom([ms]), 0.5)).toBeGreaterThan(0);
  });
});

describe('the latencies of several processes', () => {
  it('are those of all their requests', () => {
    const [one, other] = [
      [1, 5, 5, 80],
      [5, 3_000],
    ] as const;
    expect(sumLatencies([latenciesFrom(one), [], latenciesFrom(other)])).toEqual(
      latenciesFrom([...one, ...other]),
    );
    expect(sumLatencies([])).toEqual([]);
  });
});
