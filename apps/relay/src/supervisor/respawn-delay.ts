/** A worker that lives for so long has nothing wrong with it that a start would show. */
const SOUND_AFTER_MS = 60_000;
const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;

/** How long a place stays empty: longer each time that its worker has ended soon after its start. */
export class RespawnDelay {
  private soonEnds = 0;

  /** @param livedMs - the life of the worker that has just ended */
  next(livedMs: number): number {
    this.soonEnds = livedMs < SOUND_AFTER_MS ? this.soonEnds + 1 : 0;
    return this.soonEnds === 0
      ? 0
      : Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (this.soonEnds - 1));
  }
}
