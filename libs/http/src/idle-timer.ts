/** Calls back once after a time without activity. A limit of 0 never calls. */
export class IdleTimer {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private limitMs: number,
    private readonly onIdle: () => void,
  ) {}

  /** Starts the time anew; to be called at the beginning and at every sign of life. */
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

  /** Never calls from now on. */
  disable(): void {
    this.stop();
    this.limitMs = 0;
  }

  /** Ends the time; touch may start it again. */
  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
