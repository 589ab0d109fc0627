import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '@relay/clock';

import { DirectoryService } from '../directory/directory.service.js';
import { RelayLog } from '../telemetry/relay-log.js';
import { PairingClient } from './pairing-client.js';
import type { PeerAddress } from './peer-address.js';
import { PeerClient } from './peer-client.js';
import { Peer } from './peer.js';
import { UpstreamRefusedError } from './peers.errors.js';
import { SessionChecker } from './session-checker.js';

/** Peers whose sessions are kept, and as many that were never paired and whose failures are remembered. */
const MAX_PEERS = 1_000;

/** Numbers of other relays: all that are remembered, those with a usable session, those that are unreachable. */
export interface PeerSummary {
  readonly known: number;
  readonly paired: number;
  readonly unreachable: number;
}

/** The relays that this relay sends messages to, by name and origin. */
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
    private readonly directory: DirectoryService,
  ) {
    peerClient.onDisconnect((origin) => {
      for (const peer of this.peers.values()) {
        if (peer.origin === origin) {
          peer.noteDisconnect();
        }
      }
    });
    directory.onChange(() => {
      this.forgetRemoved();
    });
  }

  /** The peers that were named since the start and are remembered, the last one used first. */
  get named(): readonly Peer[] {
    return [...this.peers.values()].reverse();
  }

  /** Counts the peers by what was last known of them, without asking any of them. */
  summary(): PeerSummary {
    const states = [...this.peers.values()].map(({ state }) => state);
    const count = (state: Peer['state']): number =>
      states.filter((entry) => entry === state).length;
    return { known: states.length, paired: count('paired'), unreachable: count('unreachable') };
  }

  /**
   * The peer at an address; its session is forgotten if too many other peers are used afterwards.
   *
   * @throws UpstreamRefusedError if the directory has changed since the peer was named, and has no such peer any more
   */
  peer(named: PeerAddress): Peer {
    const { latest } = this;
    // The usual case. It avoids moving the entry, which makes the map reallocate its table from time to time.
    if (latest?.origin === named.origin && latest.known === named.known) {
      return latest;
    }
    const address = this.asOfNow(named);
    const key = keyOf(address);
    const used = this.peers.get(key);
    const peer =
      used?.known === address.known
        ? used
        : new Peer(address, this.client, this.checker, this.clock, this.log);
    this.peers.delete(key);
    this.peers.set(key, peer);
    this.latest = peer;
    if (used !== peer) {
      used?.close();
      this.forgetOldest();
    }
    return peer;
  }

  /** The channels are ended by those who keep them. */
  onApplicationShutdown(): void {
    for (const peer of this.peers.values()) {
      peer.stop();
    }
  }

  /** A request may have waited since it named its peer. What it was told of it then must not displace what is known now. */
  private asOfNow(named: PeerAddress): PeerAddress {
    const known = this.directory.current.peerNamed(named.known.name);
    if (known === named.known) {
      return named;
    }
    const { reach } = known?.entry ?? {};
    // All origins of a peer lead to it.
    const isThere = reach?.kind !== 'origins' || reach.origins.includes(named.origin);
    const origin = isThere ? named.origin : reach.origins[0];
    if (known === undefined || origin === undefined) {
      throw new UpstreamRefusedError('x-mte-upstream names a relay that has just been removed');
    }
    return { origin, known };
  }

  /**
   * Forgets the peers that are beyond their limit. Those that were never paired have a limit of their own, because a client with
   * a token can name any number of them, and must not make a relay that others use be forgotten by that. None is forgotten while
   * it is being paired; FirstPairings limits how many those are.
   */
  private forgetOldest(): void {
    const relays: Peer[] = [];
    const named: Peer[] = [];
    for (const peer of this.peers.values()) {
      if (peer.hasPaired) {
        relays.push(peer);
      } else if (!peer.isPairing) {
        named.push(peer);
      }
    }
    for (const peer of [...relays.slice(0, -MAX_PEERS), ...named.slice(0, -MAX_PEERS)]) {
      this.forget(peer);
    }
  }

  /** Forgets the peers whose entry was removed or replaced. What is under way to them may still end. */
  private forgetRemoved(): void {
    const { peers } = this.directory.current;
    for (const peer of [...this.peers.values()].filter(({ known }) => !peers.includes(known))) {
      this.forget(peer);
    }
  }

  private forget(peer: Peer): void {
    peer.close();
    this.peers.delete(keyOf(peer.address));
    if (this.latest === peer) {
      this.latest = undefined;
    }
  }
}

/** No name has a blank in it. */
function keyOf({ known, origin }: PeerAddress): string {
  return `${known.name} ${origin}`;
}
