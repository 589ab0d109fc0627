import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '@relay/clock';

import type { KnownPeer } from '../directory/known-peer.js';
import { AVOIDED_BACK_OFF, BackOff } from './back-off.js';
import { ChannelsToPeers } from './channels-to-peers.js';
import type { NamedPeer } from './peer-origin.js';
import type { Peer } from './peer.js';
import { PeersService } from './peers.service.js';
import { FirstPairingLimitError, type TunnelFailedError } from './peers.errors.js';

/** The origins of one peer in the order in which one request may ask them, each at most once. */
export type Origins = readonly [Peer, ...Peer[]];

/** Chooses among the origins of a peer: the healthy ones in turn, and only then the others. protocol.md section 9. */
@Injectable()
export class OriginChoice {
  /** Which origin of a peer is the next one in turn. */
  private readonly turns = new WeakMap<KnownPeer, number>();
  /** Origins from which a request has gone on to another one. */
  private readonly avoided = new WeakMap<Peer, BackOff>();

  constructor(
    private readonly peers: PeersService,
    private readonly channels: ChannelsToPeers,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** The origins of a peer for the next request to it. All are looked up at once, because the directory may change meanwhile. */
  of({ known, origins }: NamedPeer): Origins {
    const first = this.peers.peer({ known, origin: origins[0] });
    if (origins.length === 1) {
      return [first];
    }
    const [, ...others] = origins;
    const all = [first, ...others.map((origin) => this.peers.peer({ known, origin }))];
    const turn = this.turns.get(known) ?? 0;
    const inTurn = [...all.slice(turn), ...all.slice(0, turn)];
    const healthy = inTurn.filter((peer) => this.isHealthy(peer));
    const unhealthy = inTurn.filter((peer) => !healthy.includes(peer));
    for (const { reachability } of unhealthy) {
      // It would have had its share of the requests, so it is worth probing.
      reachability.noteRequest();
    }
    const [chosen = first, ...rest] = [...healthy, ...unhealthy];
    // Behind the one that is chosen: the neighbour of an unhealthy origin does not get the share of both.
    this.turns.set(known, (all.indexOf(chosen) + 1) % all.length);
    return [chosen, ...rest];
  }

  /** A request has gone on from this origin to another one: for a while, this one is asked after the others. */
  noteFailure(peer: Peer, failure: TunnelFailedError): void {
    if (failure instanceof FirstPairingLimitError) {
      // It says nothing about the peer.
      return;
    }
    const backOff = this.avoided.get(peer) ?? new BackOff(AVOIDED_BACK_OFF, this.clock);
    backOff.begin(failure);
    this.avoided.set(peer, backOff);
  }

  /** The origin has served a request. */
  noteServed(peer: Peer): void {
    this.avoided.delete(peer);
  }

  private isHealthy(peer: Peer): boolean {
    const lacksChannels =
      peer.known.entry.transport === 'channel' && this.channels.of(peer).hasFallenBack;
    const isAvoided = this.avoided.get(peer)?.isActive === true;
    return peer.state !== 'unreachable' && !isAvoided && !lacksChannels;
  }
}
