import type { Clock } from '@relay/clock';

/** A clock that stands still until a test moves it. */
export class HandMovedClock implements Clock {
  private elapsedMs = 0;

  /** @param startMs - milliseconds since 1970 at which the wall clock starts */
  constructor(private startMs = 1_767_225_600_000) {}

  nowMs(): number {
    return this.startMs + this.elapsedMs;
  }

  monotonicMs(): number {
    return this.elapsedMs;
  }

  /** Lets time pass on both clocks. */
  advance(ms: number): void {
    this.elapsedMs += ms;
  }

  /** Sets the wall clock as an operator or NTP does: the monotonic one does not notice. */
  jump(ms: number): void {
    this.startMs += ms;
  }
}
