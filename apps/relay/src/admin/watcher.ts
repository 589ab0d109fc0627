import type { ServerResponse } from 'node:http';

/** A status, written as events once for everybody who watches. */
export interface StatusEvent {
  readonly report: string;
  readonly history: string;
  /** Differs from history to history. */
  readonly historyId: number | undefined;
}

/** How many events in a row may be missed: a minute. Then nobody is there any more, and the place is for others. */
const MAX_MISSED = 60;

/** One browser, or program, that is told the status once a second. */
export class Watcher {
  private missed = 0;
  private historyId: number | undefined;
  private hasBegun = false;

  constructor(private readonly response: ServerResponse) {}

  /**
   * Sends what is new. If earlier events have not left yet, it misses these: they would queue up in memory. The first ones may
   * follow the head of the response at once.
   */
  send({ report, history, historyId }: StatusEvent): void {
    if (this.hasBegun && this.response.writableLength > 0) {
      this.missed += 1;
      if (this.missed > MAX_MISSED) {
        this.response.destroy();
      }
      return;
    }
    this.missed = 0;
    const isNew = !this.hasBegun || historyId !== this.historyId;
    this.hasBegun = true;
    this.historyId = historyId;
    this.response.write(isNew ? report + history : report);
  }

  end(): void {
    this.response.end();
  }
}
