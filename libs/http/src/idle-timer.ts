/** Calls back once after a period without activity; never if the limit is 0. */
export class IdleTimer {
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param limitMs - the longest period without activity; 0: no limit
   * @param onIdle - called when that period has passed
   */
  constructor(
    private limitMs: number,
    private readonly onIdle: () => void,
  ) {}

  /** Starts or restarts the timer. To be called at the start and at every sign of activity. */
  touch(): void {
    if (this.limitMs === 0) {
      return;
    }
    if (this.timer === undefined) {
      this.timer = setTimeout(this.onIdle, this.limitMs);
    } else {
      this.timer.refresh();
    }
  }

  /** Stops the timer for good: it never calls back again. */
  disable(): void {
    this.stop();
    this.limitMs = 0;
  }

  /** Stops the timer until `touch` starts it again. */
  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
