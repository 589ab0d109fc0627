import type { Clock } from '@relay/session';

/** More keys than this are not remembered: whoever comes under ever new names must not take up memory by it. */
const MAX_KEYS = 10_000;
const MS_PER_MINUTE = 60_000;

interface Allowance {
  left: number;
  refilledAtMs: number;
}

/** What each key may do: so much at once, and after that so much in a minute, steadily refilled. */
export class Allowances {
  /** Least recently used first: what is forgotten has had the longest time to refill. */
  private readonly byKey = new Map<string, Allowance>();

  constructor(
    private readonly perMinute: number,
    private readonly clock: Pick<Clock, 'monotonicMs'>,
  ) {}

  /** @returns false where nothing is left for this key at this moment */
  take(key: string): boolean {
    const allowance = this.refilled(key);
    this.remember(key, allowance);
    if (allowance.left < 1) {
      return false;
    }
    allowance.left -= 1;
    return true;
  }

  /** What was taken did not count after all. */
  giveBack(key: string): void {
    const allowance = this.byKey.get(key);
    if (allowance !== undefined) {
      allowance.left = Math.min(this.perMinute, allowance.left + 1);
    }
  }

  private refilled(key: string): Allowance {
    const now = this.clock.monotonicMs();
    const { left, refilledAtMs } = this.byKey.get(key) ?? {
      left: this.perMinute,
      refilledAtMs: now,
    };
    const refill = ((now - refilledAtMs) * this.perMinute) / MS_PER_MINUTE;
    return { left: Math.min(this.perMinute, left + refill), refilledAtMs: now };
  }

  private remember(key: string, allowance: Allowance): void {
    this.byKey.delete(key);
    this.byKey.set(key, allowance);
    if (this.byKey.size > MAX_KEYS) {
      const [oldest = ''] = this.byKey.keys();
      this.byKey.delete(oldest);
    }
  }
}
