import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '@relay/clock';

import { RelayLog } from '../telemetry/relay-log.js';
import { PairingClient } from './pairing-client.js';
import { PeerClient } from './peer-client.js';
import { Peer } from './peer.js';
import { SessionChecker } from './session-checker.js';

/** Peers whose sessions are kept. A client with a token could name any number of origins. */
const MAX_PEERS = 1_000;

/** Numbers of other relays: all that are remembered, those with a usable session, those that are unreachable. */
export interface PeerSummary {
  readonly known: number;
  readonly paired: number;
  readonly unreachable: number;
}

/** The relays that this relay sends messages to, by origin. */
@Injectable()
export class PeersService implements OnApplicationShutdown {
  /** Least recently used first. */
  private readonly peers = new Map<string, Peer>();
  private latest: Peer | undefined;

  constructor(
    private readonly client: PairingClient,
    private readonly checker: SessionChecker,
    peerClient: PeerClient,
    @Inject(Clock) private readonly clock: Clock,
    private readonly log: RelayLog,
  ) {
    peerClient.onDisconnect((origin) => this.peers.get(origin)?.noteDisconnect());
  }

  /** Counts the peers by what was last known of them, without asking any of them. */
  summary(): PeerSummary {
    const states = [...this.peers.values()].map(({ state }) => state);
    const count = (state: Peer['state']): number =>
      states.filter((entry) => entry === state).length;
    return { known: states.length, paired: count('paired'), unreachable: count('unreachable') };
  }

  /** The peer at an origin; its session is forgotten if too many other peers are used afterwards. */
  peer(origin: string): Peer {
    // The usual case. It avoids moving the entry, which makes the map reallocate its table from time to time.
    if (this.latest?.origin === origin) {
      return this.latest;
    }
    const peer =
      this.peers.get(origin) ?? new Peer(origin, this.client, this.checker, this.clock, this.log);
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
