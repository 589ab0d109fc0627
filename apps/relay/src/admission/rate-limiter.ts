import type { Clock } from '@relay/clock';

/** Beyond this number, the least recently used keys are forgotten: a sender that keeps changing names must not fill memory. */
const MAX_KEYS = 10_000;
const MS_PER_MINUTE = 60_000;

interface Bucket {
  tokens: number;
  refilledAtMs: number;
}

/** A token bucket for each key: a burst of as many events as a minute allows, then a steady refill. */
export class RateLimiter {
  /** Least recently used first: a forgotten bucket is the one that has had the longest time to refill. */
  private readonly buckets = new Map<string, Bucket>();

  constructor(
    private readonly perMinute: number,
    private readonly clock: Pick<Clock, 'monotonicMs'>,
  ) {}

  /** @returns false if the key has used up its rate for now */
  tryTake(key: string): boolean {
    const bucket = this.refilled(key);
    this.remember(key, bucket);
    if (bucket.tokens < 1) {
      return false;
    }
    bucket.tokens -= 1;
    return true;
  }

  /** Returns a token, for an event that turned out not to count. */
  refund(key: string): void {
    const bucket = this.buckets.get(key);
    if (bucket !== undefined) {
      bucket.tokens = Math.min(this.perMinute, bucket.tokens + 1);
    }
  }

  private refilled(key: string): Bucket {
    const now = this.clock.monotonicMs();
    const { tokens, refilledAtMs } = this.buckets.get(key) ?? {
      tokens: this.perMinute,
      refilledAtMs: now,
    };
    const refill = ((now - refilledAtMs) * this.perMinute) / MS_PER_MINUTE;
    return { tokens: Math.min(this.perMinute, tokens + refill), refilledAtMs: now };
  }

  private remember(key: string, bucket: Bucket): void {
    this.buckets.delete(key);
    this.buckets.set(key, bucket);
    if (this.buckets.size > MAX_KEYS) {
      const [oldest = ''] = this.buckets.keys();
      this.buckets.delete(oldest);
    }
  }
}
