/** If a worker ran for this long, nothing that would show at its start is wrong with it. */
const SOUND_AFTER_MS = 60_000;
const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;

/** The delay before a worker is replaced: it grows each time that a worker ends soon after its start. */
export class RespawnDelay {
  private soonEnds = 0;

  /**
   * The delay before the next start, in milliseconds.
   *
   * @param livedMs - how long the worker that has just ended ran
   */
  next(livedMs: number): number {
    this.soonEnds = livedMs < SOUND_AFTER_MS ? this.soonEnds + 1 : 0;
    return this.soonEnds === 0
      ? 0
      : Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (this.soonEnds - 1));
  }
}
