import { Module } from '@nestjs/common';

import { AdmissionModule } from '../admission/admission.module.js';
import { PeersModule } from '../peers/peers.module.js';
import { ClientReports } from './client-reports.js';
import { OutboundController } from './outbound.controller.js';
import { OutboundService } from './outbound.service.js';
import { Revocations } from './revocations.js';
import { TunnelService } from './tunnel.service.js';
import { UpgradeService } from './upgrade.service.js';

/** The outbound role: turns clients' plaintext requests into sealed messages to peers, and opens the responses. */
@Module({
  imports: [AdmissionModule, PeersModule],
  controllers: [OutboundController],
  providers: [ClientReports, OutboundService, Revocations, TunnelService, UpgradeService],
})
export class OutboundModule {}
