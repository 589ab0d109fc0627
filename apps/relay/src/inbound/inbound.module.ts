import { Module } from '@nestjs/common';
import { SessionModule } from '@relay/session';

import { AdmissionModule } from '../admission/admission.module.js';
import { UpstreamModule } from '../upstream/upstream.module.js';
import { InboundController } from './inbound.controller.js';
import { InboundService } from './inbound.service.js';
import { MessageReader } from './message-reader.js';
import { RouteRule } from './route-rule.js';
import { UpstreamForwarder } from './upstream-forwarder.js';

/** The inbound role: turns sealed messages into plaintext requests to the upstream, and seals the responses. */
@Module({
  imports: [SessionModule, AdmissionModule, UpstreamModule],
  controllers: [InboundController],
  providers: [InboundService, MessageReader, RouteRule, UpstreamForwarder],
})
export class InboundModule {}
