import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { WaitingOctets } from '@relay/channel';
import { Clock } from '@relay/clock';
import { RelayConfig } from '@relay/config';

import { loadOf, type ChannelLoad } from '../channels/channel-load.js';
import { ChannelReports } from '../channels/channel-reports.js';
import { ChannelOpener } from './channel-opener.js';
import type { ChannelTools } from './channel-tools.js';
import { PeerChannels } from './peer-channels.js';
import type { Peer } from './peer.js';

const CHECK_INTERVAL_MS = 1_000;
/** How long the peers may take to end their side of the channels when this relay is shut down. */
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
    reports.observeFallbacks(() => this.fallbacks);
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

  /** How many channels there are to a peer, and streams in them. */
  loadOf(peer: Peer): ChannelLoad {
    return this.byPeer.get(peer)?.load ?? loadOf([]);
  }

  /** As `PeerChannels.reach`. */
  reachOf(peer: Peer): 'unreachable' | 'unknown' | undefined {
    return this.byPeer.get(peer)?.reach;
  }

  /** Peers to which requests go as messages because no channel could be opened. */
  private get fallbacks(): number {
    return [...this.byPeer.values()].filter(({ hasFallenBack }) => hasFallenBack).length;
  }

  /** By then the clients have their responses, so that the channels have no streams. */
  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all([...this.byPeer.values()].map((channels) => channels.end(END_LIMIT_MS)));
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
