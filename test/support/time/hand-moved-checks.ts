import { setTimeout as after } from 'node:timers/promises';

import { onTestFinished, vi } from 'vitest';

/** What a check causes goes to the other relay and back meanwhile, in this process. */
const ROUND_TRIP_MS = 200;

/**
 * Lets what relays check once a second wait until the test says so. Call it before they start, and only in a test that does not
 * need any other interval.
 *
 * @returns lets each relay make the checks of one second, and resolves when the other one has heard of them
 */
export function handMovedChecks(): () => Promise<void> {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  return async () => {
    vi.advanceTimersByTime(1_000);
    await after(ROUND_TRIP_MS);
  };
}
