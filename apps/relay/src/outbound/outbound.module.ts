import { Module } from '@nestjs/common';
import { SessionModule } from '@relay/session';

import { LimitsModule } from '../limits.module.js';
import { OutboundController } from './outbound.controller.js';
import { OutboundService } from './outbound.service.js';
import { PairingClient } from './pairing-client.js';
import { PeerClient } from './peer-client.js';
import { PeerOrigins } from './peer-origin.js';
import { PeersService } from './peers.service.js';
import { TunnelService } from './tunnel.service.js';

@Module({
  imports: [SessionModule, LimitsModule],
  exports: [PeersService],
  controllers: [OutboundController],
  providers: [OutboundService, PairingClient, PeerClient, PeerOrigins, PeersService, TunnelService],
})
export class OutboundModule {}
