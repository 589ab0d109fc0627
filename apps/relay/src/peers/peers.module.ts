import { Module } from '@nestjs/common';

import { ChannelsModule } from '../channels/channels.module.js';
import { ChannelOpener } from './channel-opener.js';
import { ChannelsToPeers } from './channels-to-peers.js';
import { ConnectionChannels } from './connection-channels.js';
import { OriginChoice } from './origin-choice.js';
import { PairingClient } from './pairing-client.js';
import { PeerClient } from './peer-client.js';
import { PeerOrigins } from './peer-origin.js';
import { PeerProxies } from './peer-proxies.js';
import { PeersMetrics } from './peers-metrics.js';
import { PeersService } from './peers.service.js';
import { SessionChecker } from './session-checker.js';

/** The other relays: which of them may be called, the connections to them, and the sessions with them. */
@Module({
  imports: [ChannelsModule],
  providers: [
    ChannelOpener,
    ChannelsToPeers,
    ConnectionChannels,
    OriginChoice,
    PairingClient,
    PeerClient,
    PeerOrigins,
    PeerProxies,
    PeersMetrics,
    PeersService,
    SessionChecker,
  ],
  exports: [
    ChannelsToPeers,
    ConnectionChannels,
    OriginChoice,
    PeerClient,
    PeerOrigins,
    PeersService,
  ],
})
export class PeersModule {}
