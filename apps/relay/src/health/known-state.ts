import { Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { RelayConfig } from '@relay/config';

import { ChannelReports } from '../channels/channel-reports.js';
import { PeersService } from '../peers/peers.service.js';
import { UpstreamClient } from '../upstream/upstream-client.js';

/**
 * What `/health/ready` reports for information. Never down, because neither a restart nor another replica would help; no
 * names and addresses, because the endpoint is open to everybody.
 */
@Injectable()
export class KnownState {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly peerRelays: PeersService,
    private readonly upstreamClient: UpstreamClient,
    private readonly config: RelayConfig,
    private readonly channelReports: ChannelReports,
  ) {}

  /** The last known state, without a call to the peers. */
  peers(): HealthIndicatorResult {
    return this.indicators.check('peers').up({ ...this.peerRelays.summary() });
  }

  /** Channels of both roles, and peers to which none could be opened. */
  channels(): HealthIndicatorResult {
    return this.indicators.check('channels').up({ ...this.channelReports.summary() });
  }

  /** The last known state, without a call to the API. */
  upstream(): HealthIndicatorResult {
    return this.indicators.check('upstream').up({ lastConnect: this.upstreamClient.state });
  }

  /** Whether this relay accepts only what was meant for it. */
  audience(): HealthIndicatorResult {
    const relayAudience = this.config.relayAudience === undefined ? 'unset' : 'set';
    return this.indicators.check('audience').up({ relayAudience });
  }
}
