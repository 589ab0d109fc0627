import { Module } from '@nestjs/common';
import { SessionModule } from '@relay/session';

import { LimitsModule } from '../limits.module.js';
import { UpstreamModule } from '../upstream/upstream.module.js';
import { InboundController } from './inbound.controller.js';
import { InboundService } from './inbound.service.js';
import { MessageReader } from './message-reader.js';
import { RouteRule } from './route-rule.js';

@Module({
  imports: [SessionModule, LimitsModule, UpstreamModule],
  controllers: [InboundController],
  providers: [InboundService, MessageReader, RouteRule],
})
export class InboundModule {}
