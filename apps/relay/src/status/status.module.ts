import { Module } from '@nestjs/common';
import { SessionModule } from '@relay/session';

import { AdmissionModule } from '../admission/admission.module.js';
import { InboundModule } from '../inbound/inbound.module.js';
import { PeersModule } from '../peers/peers.module.js';
import { UpstreamModule } from '../upstream/upstream.module.js';
import { PeerRows } from './peer-rows.js';
import { ProcessFacts } from './process-facts.js';
import { ProcessStatus } from './process-status.js';
import { StatusService } from './status.service.js';
import { TrafficWatch } from './traffic-watch.js';

/** What this relay tells its operator about itself. */
@Module({
  imports: [AdmissionModule, InboundModule, PeersModule, SessionModule, UpstreamModule],
  providers: [PeerRows, ProcessFacts, ProcessStatus, StatusService, TrafficWatch],
  exports: [StatusService],
})
export class StatusModule {}
