/** A pseudorandom generator that is reproducible from its seed: mulberry32. */
export class Random {
  constructor(private state: number) {}

  /** An integer from 0 to `limit` − 1. */
  below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  /** @throws RangeError if `items` is empty */
  oneOf<T>(items: readonly T[]): T {
    if (items.length === 0) {
      throw new RangeError('there is nothing to choose from');
    }
    return items[this.below(items.length)] as T;
  }
}
