import { Inject, Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { StoreHealth } from '@relay/session';

import { PeersService } from '../peers/peers.service.js';
import { ShutdownState } from '../lifecycle/shutdown-state.js';
import { UpstreamClient } from '../upstream/upstream-client.js';

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
    private readonly peerRelays: PeersService,
    private readonly upstreamClient: UpstreamClient,
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

  /**
   * Informational: the last known state, without a call to the peers. Never down, because neither a restart nor another replica
   * would help; only numbers, because the endpoint is open to everybody.
   */
  peers(): HealthIndicatorResult {
    return this.indicators.check('peers').up({ ...this.peerRelays.summary() });
  }

  /** Informational, for the same reasons as `peers`. */
  upstream(): HealthIndicatorResult {
    return this.indicators.check('upstream').up({ lastConnect: this.upstreamClient.state });
  }
}
