import { describe, expect, it } from 'vitest';

import { RespawnDelay } from './respawn-delay.js';

describe('the delay before a worker is replaced', () => {
  it('grows each time that a worker ends soon after its start, up to a limit', () => {
    const delay = new RespawnDelay();
    const delays = Array.from({ length: 10 }, () => delay.next(1_000));
    expect(delays).toEqual([
      500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000,
    ]);
  });

  it('is zero after a worker that ran for long, and then starts over', () => {
    const delay = new RespawnDelay();
    delay.next(0);
    delay.next(59_999);
    expect(delay.next(60_000)).toBe(0);
    expect(delay.next(0)).toBe(500);
  });
});
