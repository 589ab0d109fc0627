import type { Clock } from '@relay/clock';

/** A clock that stands still until a test advances it. */
export class HandMovedClock implements Clock {
  private elapsedMs = 0;

  /** @param startMs - the initial wall-clock time, in milliseconds since 1970 */
  constructor(private startMs = 1_767_225_600_000) {}

  nowMs(): number {
    return this.startMs + this.elapsedMs;
  }

  monotonicMs(): number {
    return this.elapsedMs;
  }

  /** Advances both clocks. */
  advance(ms: number): void {
    this.elapsedMs += ms;
  }

  /** Steps the wall clock, as an operator or NTP does; the monotonic clock is not affected. */
  jump(ms: number): void {
    this.startMs += ms;
  }
}
