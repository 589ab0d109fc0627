import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '@relay/session';

import { PairingClient } from './pairing-client.js';
import { Peer } from './peer.js';

/** Peers whose sessions are kept; a client with a token could name any number of origins. */
const MAX_PEERS = 1_000;

/** The relays that this one talks to, by origin. */
@Injectable()
export class PeersService implements OnApplicationShutdown {
  /** Least recently used first. */
  private readonly peers = new Map<string, Peer>();

  constructor(
    private readonly client: PairingClient,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  peer(origin: string): Peer {
    const peer = this.peers.get(origin) ?? new Peer(origin, this.client, this.clock);
    this.peers.delete(origin);
    this.peers.set(origin, peer);
    if (this.peers.size > MAX_PEERS) {
      const [oldest] = this.peers.values();
      oldest?.close();
      this.peers.delete(oldest?.origin ?? '');
    }
    return peer;
  }

  onApplicationShutdown(): void {
    for (const peer of this.peers.values()) {
      peer.close();
    }
  }
}
