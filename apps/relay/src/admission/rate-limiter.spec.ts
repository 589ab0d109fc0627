import { beforeEach, describe, expect, it } from 'vitest';

import { HandMovedClock } from '../../../../test/support/time/hand-moved-clock.js';
import { RateLimiter } from './rate-limiter.js';

const PER_MINUTE = 6;

let clock: HandMovedClock;
let limiter: RateLimiter;

beforeEach(() => {
  clock = new HandMovedClock();
  limiter = new RateLimiter(PER_MINUTE, clock);
});

/** How many tokens can be taken in a row. */
const takeAll = (key: string): number => {
  let taken = 0;
  while (limiter.tryTake(key)) {
    taken += 1;
  }
  return taken;
};

describe('the rate of a key', () => {
  it('allows a burst of one minute’s worth', () => {
    expect(takeAll('a')).toBe(PER_MINUTE);
  });

  it('refills steadily, never to more than one minute’s worth', () => {
    takeAll('a');
    clock.advance(9_999);
    expect(takeAll('a')).toBe(0);
    clock.advance(1);
    expect(takeAll('a')).toBe(1);
    clock.advance(3_600_000);
    expect(takeAll('a')).toBe(PER_MINUTE);
  });

  it('is independent of other keys', () => {
    takeAll('a');
    expect(takeAll('b')).toBe(PER_MINUTE);
  });

  it('is restored by a refund, never to more than one minute’s worth', () => {
    limiter.refund('a');
    limiter.tryTake('a');
    limiter.refund('a');
    limiter.refund('a');
    expect(takeAll('a')).toBe(PER_MINUTE);
    limiter.refund('a');
    expect(takeAll('a')).toBe(1);
  });

  it('is remembered for the 10,000 most recently used keys', () => {
    takeAll('a');
    takeAll('b');
    for (let key = 0; key < 9_999; key += 1) {
      limiter.tryTake(String(key));
    }
    expect(takeAll('b')).toBe(0);
    expect(takeAll('a')).toBe(PER_MINUTE);
  });
});
