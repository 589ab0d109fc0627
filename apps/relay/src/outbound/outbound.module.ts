import { Module } from '@nestjs/common';

import { AdmissionModule } from '../admission/admission.module.js';
import { PeersModule } from '../peers/peers.module.js';
import { OutboundController } from './outbound.controller.js';
import { OutboundService } from './outbound.service.js';
import { TunnelService } from './tunnel.service.js';

/** The outbound role: from a client's plaintext request to a sealed message, and back. */
@Module({
  imports: [AdmissionModule, PeersModule],
  controllers: [OutboundController],
  providers: [OutboundService, TunnelService],
})
export class OutboundModule {}
