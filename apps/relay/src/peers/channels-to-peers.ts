import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { WaitingOctets } from '@relay/channel';
import { Clock } from '@relay/clock';
import { RelayConfig } from '@relay/config';

import { ChannelReports, type ChannelCounts } from '../channels/channel-reports.js';
import { ChannelOpener } from './channel-opener.js';
import { PeerChannels, type ChannelTools } from './peer-channels.js';
import type { Peer } from './peer.js';

const CHECK_INTERVAL_MS = 1_000;
/** How long the peers may take to answer the ends of channels that no client needs any more. */
const END_LIMIT_MS = 2_000;

/** The channels of this process to all peers. */
@Injectable()
export class ChannelsToPeers implements OnApplicationShutdown {
  private readonly byPeer = new Map<Peer, PeerChannels>();
  private readonly tools: ChannelTools;
  private readonly timer: NodeJS.Timeout;

  constructor(
    opener: ChannelOpener,
    config: RelayConfig,
    reports: ChannelReports,
    waiting: WaitingOctets,
    @Inject(Clock) clock: Clock,
  ) {
    this.tools = { opener, config, reports, waiting, clock };
    this.timer = setInterval(() => {
      this.check();
    }, CHECK_INTERVAL_MS).unref();
    reports.observe('outbound', () => this.counts());
  }

  /** The channels to a peer. */
  of(peer: Peer): PeerChannels {
    const known = this.byPeer.get(peer);
    if (known !== undefined) {
      return known;
    }
    const channels = new PeerChannels(peer, this.tools);
    this.byPeer.set(peer, channels);
    return channels;
  }

  /** Peers to which requests go as messages because no channel could be opened. */
  get fallbacks(): number {
    return [...this.byPeer.values()].filter(({ hasFallenBack }) => hasFallenBack).length;
  }

  /** All responses to clients have ended, and with them the streams. */
  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    const cause = new Error('this relay has been shut down');
    await Promise.all([...this.byPeer.values()].map((each) => each.end(END_LIMIT_MS, cause)));
  }

  private counts(): ChannelCounts {
    let channels = 0;
    let streams = 0;
    for (const { counts } of this.byPeer.values()) {
      channels += counts.channels;
      streams += counts.streams;
    }
    return { channels, streams };
  }

  private check(): void {
    for (const [peer, channels] of this.byPeer) {
      channels.check();
      if (channels.isOver) {
        this.byPeer.delete(peer);
      }
    }
  }
}
