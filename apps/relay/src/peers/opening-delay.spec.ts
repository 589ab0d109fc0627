import { describe, expect, it } from 'vitest';

import { OpeningDelay } from './opening-delay.js';

/** The seconds until a delay that begins now is over. */
function lengthOf(delay: OpeningDelay, clock: { nowMs: number }): number {
  delay.begin('no-channels');
  const startMs = clock.nowMs;
  while (!delay.isOver) {
    clock.nowMs += 1_000;
  }
  return (clock.nowMs - startMs) / 1_000;
}

function start(): { clock: { nowMs: number }; delay: OpeningDelay } {
  const clock = { nowMs: 0 };
  return { clock, delay: new OpeningDelay({ monotonicMs: () => clock.nowMs }) };
}

describe('the delay of openings over a path that carries no channels', () => {
  it('is 15 to 30 s, and doubles up to 10 min', () => {
    const { clock, delay } = start();
    const lengths = Array.from({ length: 8 }, () => lengthOf(delay, clock));
    expect(lengths[0]).toBeGreaterThanOrEqual(15);
    expect(lengths[0]).toBeLessThanOrEqual(31);
    expect(lengths[7]).toBeGreaterThanOrEqual(300);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(601);
  });

  it('goes on when another channel has lasted, and the next one is the shortest again', () => {
    const { clock, delay } = start();
    lengthOf(delay, clock);
    lengthOf(delay, clock);
    delay.begin('no-channels');
    delay.reset();
    expect(delay.isOver).toBe(false);
    clock.nowMs += 600_000;
    expect(lengthOf(delay, clock)).toBeLessThanOrEqual(31);
  });
});
