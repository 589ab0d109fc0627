import { expect, it } from 'vitest';

import { IntervalRing } from './interval-ring.js';

const INTERVAL_MS = 1_000;

it('requests are counted by the interval in which they ended', () => {
  const ring = new IntervalRing(5, INTERVAL_MS);
  ring.add(10_000, 3, false);
  ring.add(10_999, 3, true);
  ring.add(11_000, 7, false);
  expect(ring.interval(10_000)).toEqual({ requests: 2, errors: 1, latencies: [3, 2] });
  expect(ring.interval(11_500)).toEqual({ requests: 1, errors: 0, latencies: [7, 1] });
  expect(ring.interval(12_000)).toBeUndefined();
});

it('an interval is forgotten when another needs its place', () => {
  const ring = new IntervalRing(5, INTERVAL_MS);
  ring.add(10_000, 3, true);
  ring.add(15_000, 4, false);
  expect(ring.interval(10_000)).toBeUndefined();
  expect(ring.interval(15_000)).toEqual({ requests: 1, errors: 0, latencies: [4, 1] });
});

it('those without requests are left out', () => {
  const ring = new IntervalRing(5, INTERVAL_MS);
  ring.add(10_000, 1, false);
  ring.add(12_000, 1, false);
  ring.add(12_000, 1, false);
  expect(ring.upTo(12_000, 4).map(({ requests }) => requests)).toEqual([1, 2]);
  expect(ring.upTo(12_999, 2).map(({ requests }) => requests)).toEqual([2]);
});

it('a clock that is set back loses counts, and nothing else', () => {
  const ring = new IntervalRing(5, INTERVAL_MS);
  ring.add(20_000, 1, false);
  ring.add(10_000, 2, false);
  expect(ring.interval(20_000)).toBeUndefined();
  expect(ring.interval(10_000)).toEqual({ requests: 1, errors: 0, latencies: [2, 1] });
});
