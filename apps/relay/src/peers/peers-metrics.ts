import { Injectable } from '@nestjs/common';

import { RelayMetrics } from '../telemetry/relay-metrics.js';
import { ChannelsToPeers } from './channels-to-peers.js';
import { PeersService } from './peers.service.js';

/** Exports the numbers of other relays. */
@Injectable()
export class PeersMetrics {
  constructor(peers: PeersService, channels: ChannelsToPeers, metrics: RelayMetrics) {
    metrics.channelFallbacks.observe(() => channels.fallbacks);
    metrics.peers.observe(() => peers.summary().known, 'known');
    metrics.peers.observe(() => peers.summary().paired, 'paired');
    metrics.peers.observe(() => peers.summary().unreachable, 'unreachable');
  }
}
