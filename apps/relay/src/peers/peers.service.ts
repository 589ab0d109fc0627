import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '@relay/session';

import { RelayLog } from '../observability/relay-log.js';
import { RelayMetrics } from '../observability/relay-metrics.js';
import { PairingClient } from './pairing-client.js';
import { Peer } from './peer.js';

/** Peers whose sessions are kept; a client with a token could name any number of origins. */
const MAX_PEERS = 1_000;

/** Other relays, counted: all that are remembered, those with a session in use, those out of reach. */
export interface PeerSummary {
  readonly known: number;
  readonly paired: number;
  readonly unreachable: number;
}

/** The relays that this one talks to, by origin. */
@Injectable()
export class PeersService implements OnApplicationShutdown {
  /** Least recently used first. */
  private readonly peers = new Map<string, Peer>();
  private latest: Peer | undefined;

  constructor(
    private readonly client: PairingClient,
    @Inject(Clock) private readonly clock: Clock,
    private readonly log: RelayLog,
    metrics: RelayMetrics,
  ) {
    metrics.peers.answerFor('known', () => this.summary().known);
    metrics.peers.answerFor('paired', () => this.summary().paired);
    metrics.peers.answerFor('unreachable', () => this.summary().unreachable);
  }

  /** How many there are, and what was last known of them; nobody is asked. */
  summary(): PeerSummary {
    const states = [...this.peers.values()].map(({ state }) => state);
    const count = (state: Peer['state']): number =>
      states.filter((entry) => entry === state).length;
    return { known: states.length, paired: count('paired'), unreachable: count('unreachable') };
  }

  peer(origin: string): Peer {
    // The usual case: to move an entry within a map makes the map anew from time to time.
    if (this.latest?.origin === origin) {
      return this.latest;
    }
    const peer = this.peers.get(origin) ?? new Peer(origin, this.client, this.clock, this.log);
    this.peers.delete(origin);
    this.peers.set(origin, peer);
    this.latest = peer;
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
