import { Inject, Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { StoreHealth } from '@relay/session';

import { PeersService } from '../peers/peers.service.js';
import { ShutdownState } from '../lifecycle/shutdown-state.js';
import { UpstreamClient } from '../upstream/upstream-client.js';

/** An orchestrator asks every few seconds and wants an answer within one. */
const STORE_TIMEOUT_MS = 800;

/** Anybody may ask, so that asking often must not cost the store anything. */
const STORE_ANSWER_MS = 500;

/** What has to hold before new requests are sent here. */
@Injectable()
export class Readiness {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly shutdown: ShutdownState,
    @Inject(StoreHealth) private readonly store: StoreHealth,
    private readonly peerRelays: PeersService,
    private readonly upstreamClient: UpstreamClient,
  ) {}

  /** Down from the moment the process is told to stop. */
  process(): HealthIndicatorResult {
    const indicator = this.indicators.check('process');
    return this.shutdown.isShuttingDown ? indicator.down('shutting down') : indicator.up();
  }

  /** Down while the session store does not answer: no message could be marked. */
  async sessionStore(): Promise<HealthIndicatorResult> {
    return this.indicators
      .check('sessionStore')
      .attempt(() => this.store.check())
      .withTimeout(STORE_TIMEOUT_MS)
      .cacheFor(STORE_ANSWER_MS);
  }

  /**
   * Information: what was last known, without a call. Never down, since no restart and no other replica would mend it;
   * numbers alone, since anybody may ask.
   */
  peers(): HealthIndicatorResult {
    return this.indicators.check('peers').up({ ...this.peerRelays.summary() });
  }

  /** Information, like that on peers. */
  upstream(): HealthIndicatorResult {
    return this.indicators.check('upstream').up({ lastConnect: this.upstreamClient.state });
  }
}
