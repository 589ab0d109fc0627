import type { Clock } from '@relay/session';

import { TunnelFailedError } from './outbound.errors.js';

/** In milliseconds. protocol.md section 9. */
interface BackOffBounds {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** Remembers a failure for a while that doubles with each one: callers get it again at once instead of trying. */
export class BackOff {
  private failure: TunnelFailedError | undefined;
  private failures = 0;
  private untilMs = 0;

  constructor(
    private readonly bounds: BackOffBounds,
    private readonly clock: Clock,
  ) {}

  /** With jitter, so that those who wait do not come back at once. */
  begin(failure: TunnelFailedError): void {
    if (this.waitMs() > 0) {
      // One of many that were under way together: they are one failure.
      return;
    }
    this.failures += 1;
    this.failure = failure;
    const { firstMs, maxMs } = this.bounds;
    const ceilingMs = Math.min(maxMs, firstMs * 2 ** (this.failures - 1));
    this.untilMs = this.clock.monotonicMs() + ceilingMs * (1 + Math.random()) * 0.5;
  }

  end(): void {
    this.failure = undefined;
    this.failures = 0;
  }

  /** @throws TunnelFailedError with the failure that is backed off from, and when to come back */
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
