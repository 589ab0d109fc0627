import { Injectable } from '@nestjs/common';

import { RelayMetrics } from '../telemetry/relay-metrics.js';
import { PeersService } from './peers.service.js';

/** Exports the numbers of other relays. */
@Injectable()
export class PeersMetrics {
  constructor(peers: PeersService, metrics: RelayMetrics) {
    metrics.peers.observe(() => peers.summary().known, 'known');
    metrics.peers.observe(() => peers.summary().paired, 'paired');
    metrics.peers.observe(() => peers.summary().unreachable, 'unreachable');
  }
}
