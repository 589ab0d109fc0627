import { Inject, Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { StoreHealth } from '@relay/session';

import { ShutdownState } from '../lifecycle/shutdown-state.js';

/** Orchestrators check every few seconds and expect a response within one second. */
const STORE_TIMEOUT_MS = 800;

/** How long a result is reused. The endpoint is open to everybody, so frequent checks must not put load on the store. */
const STORE_RESULT_MS = 500;

/** The conditions under which this relay should receive new requests. */
@Injectable()
export class Readiness {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly shutdown: ShutdownState,
    @Inject(StoreHealth) private readonly store: StoreHealth,
  ) {}

  /** Down as soon as the process is told to stop. */
  process(): HealthIndicatorResult {
    const indicator = this.indicators.check('process');
    return this.shutdown.isShuttingDown ? indicator.down('shutting down') : indicator.up();
  }

  /** Down while the session store does not respond, because no message can be marked then. */
  async sessionStore(): Promise<HealthIndicatorResult> {
    return this.indicators
      .check('sessionStore')
      .attempt(() => this.store.check())
      .withTimeout(STORE_TIMEOUT_MS)
      .cacheFor(STORE_RESULT_MS);
  }
}
