import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { SessionModule } from '@relay/session';

import { ChannelsModule } from '../channels/channels.module.js';
import { PeersModule } from '../peers/peers.module.js';
import { UpstreamModule } from '../upstream/upstream.module.js';
import { HealthController } from './health.controller.js';
import { HealthService } from './health.service.js';
import { KnownState } from './known-state.js';
import { Readiness } from './readiness.js';
import { StoreWatch } from './store-watch.js';

/** The echo and the health endpoints, built on Terminus. */
@Module({
  imports: [
    TerminusModule.forRoot({ logger: false }),
    SessionModule,
    ChannelsModule,
    PeersModule,
    UpstreamModule,
  ],
  controllers: [HealthController],
  providers: [HealthService, KnownState, Readiness, StoreWatch],
  exports: [HealthService],
})
export class HealthModule {}
