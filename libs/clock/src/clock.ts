/** Time, as a seam: tests move it. */
export const Clock = Symbol('Clock');

export interface Clock {
  /** Wall clock: milliseconds since 1970. It may jump. */
  nowMs(): number;
  /** Milliseconds from an arbitrary start; it never jumps. */
  monotonicMs(): number;
}

/** The machine's clocks. */
export class SystemClock implements Clock {
  nowMs(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }
}
