/** Injection token of the clock. */
export const Clock = Symbol('Clock');

/** The two clocks of a machine, as a dependency that tests can move. */
export interface Clock {
  /** Wall clock: milliseconds since 1970. It may jump. */
  nowMs(): number;
  /** Milliseconds from an arbitrary start. It never jumps. */
  monotonicMs(): number;
}

/** The clocks of this machine. */
export class SystemClock implements Clock {
  /** Wall clock: milliseconds since 1970. */
  nowMs(): number {
    return Date.now();
  }

  /** Milliseconds since the process started. */
  monotonicMs(): number {
    return performance.now();
  }
}
