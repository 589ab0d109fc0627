import type { Clock } from '@relay/clock';

import type { OpeningFailure } from './channel-opener.js';

interface Bounds {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** How long no channel is opened after each kind of failure. protocol.md section 11.1. */
const DELAYS: Readonly<Record<OpeningFailure['kind'], Bounds>> = {
  unreached: { firstMs: 250, maxMs: 30_000 },
  'signed-error': { firstMs: 1_000, maxMs: 600_000 },
  'no-channels': { firstMs: 30_000, maxMs: 600_000 },
};

/** When the next channel to a peer may be opened. */
export class OpeningDelay {
  private failures = 0;
  private untilMs = -Infinity;

  constructor(private readonly clock: Pick<Clock, 'monotonicMs'>) {}

  /** Whether a channel may be opened now. */
  get isOver(): boolean {
    return this.clock.monotonicMs() >= this.untilMs;
  }

  /** Begins or extends the delay, with jitter. */
  begin(kind: OpeningFailure['kind']): void {
    if (!this.isOver) {
      // Several openings that were under way together count as one failure.
      return;
    }
    const { firstMs, maxMs } = DELAYS[kind];
    const ceilingMs = Math.min(maxMs, firstMs * 2 ** this.failures);
    this.failures += 1;
    this.untilMs = this.clock.monotonicMs() + ceilingMs * (1 + Math.random()) * 0.5;
  }

  /** A channel has lasted: the next delay is the shortest again. */
  reset(): void {
    this.failures = 0;
  }

  /** Something has changed, so that a channel may be opened at once. */
  skip(): void {
    this.untilMs = -Infinity;
  }
}
