import { Module } from '@nestjs/common';

import { AdmissionModule } from '../admission/admission.module.js';
import { PeersModule } from '../peers/peers.module.js';
import { ClientReports } from './client-reports.js';
import { OutboundController } from './outbound.controller.js';
import { OutboundService } from './outbound.service.js';
import { Revocations } from './revocations.js';
import { TunnelService } from './tunnel.service.js';
import { UpgradeService } from './upgrade.service.js';
import { ByFields } from './ways/by-fields.js';
import { ByListener } from './ways/by-listener.js';
import { ByProxy } from './ways/by-proxy.js';
import { ClientWays } from './ways/client-ways.js';
import { LoopDetection } from './ways/loop-detection.js';

/** The outbound role: turns clients' plaintext requests into sealed messages to peers, and opens the responses. */
@Module({
  imports: [AdmissionModule, PeersModule],
  controllers: [OutboundController],
  providers: [
    ByFields,
    ByListener,
    ByProxy,
    ClientReports,
    ClientWays,
    LoopDetection,
    OutboundService,
    Revocations,
    TunnelService,
    UpgradeService,
  ],
})
export class OutboundModule {}
