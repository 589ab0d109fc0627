import { Module } from '@nestjs/common';
import { SessionModule } from '@relay/session';

import { HoldModule } from '../hold.module.js';
import { InboundController } from './inbound.controller.js';
import { InboundService } from './inbound.service.js';
import { UpstreamClient } from './upstream-client.js';

@Module({
  imports: [SessionModule, HoldModule],
  controllers: [InboundController],
  providers: [InboundService, UpstreamClient],
})
export class InboundModule {}
