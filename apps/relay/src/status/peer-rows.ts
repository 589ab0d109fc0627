import { Injectable } from '@nestjs/common';
import { shownName } from '@relay/config';
import { MAX_ROWS, type PeerStatus, type TrafficCounts } from '@relay/status';

import { loadOf } from '../channels/channel-load.js';
import { DirectoryService } from '../directory/directory.service.js';
import type { KnownPeer } from '../directory/known-peer.js';
import { InboundChannels } from '../inbound/inbound-channels.js';
import { ChannelsToPeers } from '../peers/channels-to-peers.js';
import type { Peer } from '../peers/peer.js';
import { PeersService } from '../peers/peers.service.js';
import { NO_TRAFFIC } from './party-traffic.js';
import { TrafficWatch, keyOfPeer } from './traffic-watch.js';

type PeerRow = PeerStatus<TrafficCounts>;

/** What this process knows of the other relays. */
@Injectable()
export class PeerRows {
  constructor(
    private readonly directory: DirectoryService,
    private readonly peers: PeersService,
    private readonly channels: ChannelsToPeers,
    private readonly inbound: InboundChannels,
    private readonly traffic: TrafficWatch,
  ) {}

  /** Those that are called, and then those that call, each at most `MAX_ROWS`. */
  all(nowMs: number): readonly PeerRow[] {
    const { entries, peers } = this.directory.current;
    const called = entries.clients.length === 0 ? [] : this.called(nowMs);
    const calling = entries.tenants.length === 0 ? [] : peers;
    return [
      ...called.slice(0, MAX_ROWS),
      ...calling.slice(0, MAX_ROWS).map((known) => this.callingRow(known, nowMs)),
    ];
  }

  /** Those with origins of their own, in the order of the configuration, and then those that clients have named. */
  private called(nowMs: number): readonly PeerRow[] {
    const used = this.peers.named;
    const byKey = new Map(used.map((peer) => [keyOfPeer(peer.known.name, peer.origin), peer]));
    const listed = this.directory.current.peers.flatMap((known) => {
      const { reach } = known.entry;
      const origins = reach.kind === 'origins' ? reach.origins : [];
      return origins.map((origin) => {
        const peer = byKey.get(keyOfPeer(known.name, origin));
        return this.calledRow({ known, origin }, peer, nowMs);
      });
    });
    const named = used
      .filter(({ known }) => known.entry.reach.kind === 'named')
      .map((peer) => this.calledRow(peer, peer, nowMs));
    return [...listed, ...named];
  }

  private calledRow(
    { known, origin }: { readonly known: KnownPeer; readonly origin: string },
    peer: Peer | undefined,
    nowMs: number,
  ): PeerRow {
    const traffic = this.traffic.peersCalled.find(keyOfPeer(known.name, origin));
    return {
      role: 'outbound',
      name: shownName(known.name),
      origin,
      state: peer === undefined ? 'unused' : this.stateOf(peer),
      transport: known.entry.transport,
      ...(peer === undefined ? loadOf([]) : this.channels.loadOf(peer)),
      sessions: peer?.state === 'paired' ? 1 : 0,
      traffic: traffic?.counts(nowMs) ?? NO_TRAFFIC,
      lastRefusal: traffic?.lastRefusal,
    };
  }

  private callingRow(known: KnownPeer, nowMs: number): PeerRow {
    const traffic = this.traffic.peersCalling.find(known.name);
    const kids = known.keys.all.map(({ kid }) => kid);
    return {
      role: 'inbound',
      name: shownName(known.name),
      state: traffic === undefined ? 'unused' : 'paired',
      transport: known.entry.transport,
      ...this.inbound.loadOf((kid) => kids.includes(kid)),
      sessions: 0,
      traffic: traffic?.counts(nowMs) ?? NO_TRAFFIC,
      lastRefusal: traffic?.lastRefusal,
    };
  }

  /** What the last contact has shown: of a request, or of a channel that has ended and cannot be opened again. */
  private stateOf(peer: Peer): PeerRow['state'] {
    const { state, reachability } = peer;
    if (state === 'unreachable') {
      return state;
    }
    const known = reachability.state === 'unknown' ? 'unknown' : 'reachable';
    return this.channels.reachOf(peer) ?? (state === 'paired' ? state : known);
  }
}
