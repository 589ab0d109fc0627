import type { Clock } from '@relay/clock';

import { TunnelFailedError } from './peers.errors.js';

interface BackOffBounds {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** How long requests fail immediately after each kind of failure. protocol.md section 9. */
export const UNREACHABLE_BACK_OFF: BackOffBounds = { firstMs: 250, maxMs: 2_000 };
export const BUSY_BACK_OFF: BackOffBounds = { firstMs: 250, maxMs: 2_000 };
export const REFUSED_BACK_OFF: BackOffBounds = { firstMs: 500, maxMs: 30_000 };
/** How long an origin is asked after the others, because a request went on from it to another one. */
export const AVOIDED_BACK_OFF: BackOffBounds = { firstMs: 250, maxMs: 10_000 };

/** Remembers a failure for a time that doubles with each one. Meanwhile callers receive it immediately instead of trying. */
export class BackOff {
  private failure: TunnelFailedError | undefined;
  private failures = 0;
  private untilMs = 0;

  constructor(
    private readonly bounds: BackOffBounds,
    private readonly clock: Clock,
  ) {}

  /** Begins or extends the back-off, with jitter so that waiting callers do not all come back in the same instant. */
  begin(failure: TunnelFailedError): void {
    if (this.isActive) {
      // Several attempts that were under way together count as one failure.
      return;
    }
    this.failures += 1;
    this.failure = failure;
    const { firstMs, maxMs } = this.bounds;
    const ceilingMs = Math.min(maxMs, firstMs * 2 ** (this.failures - 1));
    this.untilMs = this.clock.monotonicMs() + ceilingMs * (1 + Math.random()) * 0.5;
  }

  /** Forgets all failures: the next back-off is the shortest again. */
  end(): void {
    this.failure = undefined;
    this.failures = 0;
  }

  /** Whether a failure is backed off from now. */
  get isActive(): boolean {
    return this.waitMs() > 0;
  }

  /** @throws TunnelFailedError with the remembered failure, and with the seconds after which to try again */
  throwIfActive(): void {
    const waitMs = this.waitMs();
    if (this.failure !== undefined && waitMs > 0) {
      const { code, message, cause } = this.failure;
      const retryAfter = Math.ceil(waitMs / 1000);
      throw new TunnelFailedError(code, 'no', message, { cause, retryAfter });
    }
  }

  private waitMs(): number {
    return this.failure === undefined ? 0 : this.untilMs - this.clock.monotonicMs();
  }
}
