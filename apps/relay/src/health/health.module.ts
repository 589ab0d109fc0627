import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { SessionModule } from '@relay/session';

import { OutboundModule } from '../outbound/outbound.module.js';
import { ShutdownState } from '../shutdown/shutdown-state.js';
import { UpstreamModule } from '../upstream/upstream.module.js';
import { HealthController } from './health.controller.js';
import { Readiness } from './readiness.js';
import { StoreWatch } from './store-watch.js';

@Module({
  imports: [
    TerminusModule.forRoot({ logger: false }),
    SessionModule,
    OutboundModule,
    UpstreamModule,
  ],
  controllers: [HealthController],
  exports: [HealthController],
  providers: [HealthController, Readiness, ShutdownState, StoreWatch],
})
export class HealthModule {}
