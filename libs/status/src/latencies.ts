/** The upper bound of the first bucket, in milliseconds. */
const FIRST_BOUND_MS = 0.25;
/** Each bound is the fourth root of 2 times the one before, so that a percentile is rounded up by 19 percent at most. */
const BUCKETS_PER_DOUBLING = 4;
const LAST_BUCKET = 18 * BUCKETS_PER_DOUBLING;

/** How many buckets there are: the last has everything above a minute. */
export const LATENCY_BUCKETS = LAST_BUCKET + 1;

/** Counts of buckets that have any: index, count, index, count, … */
export type Latencies = readonly number[];

/** The index of the bucket that a duration belongs to. @param ms - not negative */
export function latencyBucket(ms: number): number {
  const bucket = Math.ceil(Math.log2(ms / FIRST_BOUND_MS) * BUCKETS_PER_DOUBLING);
  return Math.min(Math.max(bucket, 0), LAST_BUCKET);
}

/** @param counts - one for each bucket */
export function latenciesOf(counts: ArrayLike<number>): Latencies {
  const latencies: number[] = [];
  for (let bucket = 0; bucket < counts.length; bucket += 1) {
    const count = counts[bucket] ?? 0;
    if (count > 0) {
      latencies.push(bucket, count);
    }
  }
  return latencies;
}

/** The counts of several processes, added. */
export function sumLatencies(parts: readonly Latencies[]): Latencies {
  const [only, ...others] = parts;
  if (only !== undefined && others.length === 0) {
    return only;
  }
  const counts = new Uint32Array(LATENCY_BUCKETS);
  for (const part of parts) {
    for (let at = 0; at + 1 < part.length; at += 2) {
      const bucket = part[at] ?? 0;
      counts[bucket] = (counts[bucket] ?? 0) + (part[at + 1] ?? 0);
    }
  }
  return latenciesOf(counts);
}

/**
 * The duration that a share of all did not exceed, in milliseconds: the upper bound of its bucket.
 *
 * @param share - above 0, up to 1
 * @returns undefined if nothing was counted
 */
export function percentileMs(latencies: Latencies, share: number): number | undefined {
  let total = 0;
  for (let at = 1; at < latencies.length; at += 2) {
    total += latencies[at] ?? 0;
  }
  let left = Math.ceil(total * share);
  for (let at = 0; at < latencies.length; at += 2) {
    left -= latencies[at + 1] ?? 0;
    if (left <= 0) {
      return boundMs(latencies[at] ?? 0);
    }
  }
  return undefined;
}

/** With three digits, because more would pretend to be exact. */
function boundMs(bucket: number): number {
  return Number((FIRST_BOUND_MS * 2 ** (bucket / BUCKETS_PER_DOUBLING)).toPrecision(3));
}
