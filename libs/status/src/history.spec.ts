import { describe, expect, it } from 'vitest';

import { intervalOf, sumHistories, trafficHistory } from './history.js';
import { MAX_INTERVALS } from './status-report.js';

const NOW_MS = 1_800_000_005_000;
const SECOND = 1_800_000_000;
const at = (second: number, requests: number, errors = 0) => ({
  second,
  requests,
  errors,
  latencies: [10, requests],
});

describe('a history', () => {
  it('has every complete interval since the start, also those without requests', () => {
    const startedAtMs = NOW_MS - 35_000;
    const history = trafficHistory([at(SECOND - 20, 4, 1)], startedAtMs, NOW_MS);
    expect(history.seconds).toEqual([SECOND - 30, SECOND - 20, SECOND - 10]);
    expect(history.requests).toEqual([0, 4, 0]);
    expect(history.errors).toEqual([0, 1, 0]);
    expect(history.p50Ms).toEqual([null, expect.any(Number), null]);
    expect(history.p99Ms).toEqual([null, expect.any(Number), null]);
  });

  it('has nothing of the interval that has just begun', () => {
    expect(trafficHistory([at(SECOND, 9)], NOW_MS - 10_000, NOW_MS).requests).toEqual([0]);
  });

  it('goes back for one hour', () => {
    const { seconds, requests } = trafficHistory([at(SECOND - 3_610, 9)], 0, NOW_MS);
    expect(seconds).toHaveLength(MAX_INTERVALS);
    expect(seconds[0]).toBe(SECOND - 3_600);
    expect(requests.every((count) => count === 0)).toBe(true);
  });

  it('of several processes adds what they counted in the same interval', () => {
    expect(
      sumHistories([
        [at(SECOND - 20, 1), at(SECOND - 10, 2, 2)],
        [at(SECOND - 10, 3, 1)],
        [at(SECOND - 30, 5)],
      ]),
    ).toEqual([at(SECOND - 30, 5), at(SECOND - 20, 1), at(SECOND - 10, 5, 3)]);
  });

  it('has intervals that begin at multiples of ten seconds', () => {
    expect([intervalOf(NOW_MS), intervalOf(NOW_MS + 4_999), intervalOf(NOW_MS + 5_000)]).toEqual([
      SECOND,
      SECOND,
      SECOND + 10,
    ]);
  });
});
