import { LATENCY_BUCKETS, latenciesOf, type Latencies } from '@relay/status';

/** What was counted in a span of time. */
export interface Counted {
  readonly requests: number;
  readonly errors: number;
  readonly latencies: Latencies;
}

/**
 * Counts requests by intervals, of which it keeps the latest. Its memory is fixed: about 300 bytes for each interval. A clock
 * that is set back loses counts, and nothing else.
 */
export class IntervalRing {
  /** Number of the interval that each place has, counted from 1970. */
  private readonly numbers: Float64Array;
  private readonly requests: Uint32Array;
  private readonly errors: Uint32Array;
  private readonly latencies: Uint32Array;

  /** @param length - how many intervals are kept, of which the last is the one that has just begun */
  constructor(
    private readonly length: number,
    private readonly intervalMs: number,
  ) {
    this.numbers = new Float64Array(length).fill(-1);
    this.requests = new Uint32Array(length);
    this.errors = new Uint32Array(length);
    this.latencies = new Uint32Array(length * LATENCY_BUCKETS);
  }

  /** Counts a request that ended at `atMs`. @param bucket - of the time that it took */
  add(atMs: number, bucket: number, isError: boolean): void {
    const number = Math.floor(atMs / this.intervalMs);
    const place = number % this.length;
    if (this.numbers[place] !== number) {
      this.clear(place, number);
    }
    const at = place * LATENCY_BUCKETS + bucket;
    this.requests[place] = (this.requests[place] ?? 0) + 1;
    this.errors[place] = (this.errors[place] ?? 0) + (isError ? 1 : 0);
    this.latencies[at] = (this.latencies[at] ?? 0) + 1;
  }

  /** What was counted in the interval that began at `startMs`; undefined if nothing was. */
  interval(startMs: number): Counted | undefined {
    const number = Math.floor(startMs / this.intervalMs);
    const place = number % this.length;
    if (this.numbers[place] !== number) {
      return undefined;
    }
    return {
      requests: this.requests[place] ?? 0,
      errors: this.errors[place] ?? 0,
      latencies: latenciesOf(
        this.latencies.subarray(place * LATENCY_BUCKETS, (place + 1) * LATENCY_BUCKETS),
      ),
    };
  }

  /** What was counted in each of the last intervals, oldest first, of which the last began at `startMs`. */
  upTo(startMs: number, count: number): readonly Counted[] {
    return Array.from({ length: count }, (_, index) =>
      this.interval(startMs - (count - 1 - index) * this.intervalMs),
    ).filter((counted) => counted !== undefined);
  }

  private clear(place: number, number: number): void {
    this.numbers[place] = number;
    this.requests[place] = 0;
    this.errors[place] = 0;
    this.latencies.fill(0, place * LATENCY_BUCKETS, (place + 1) * LATENCY_BUCKETS);
  }
}
