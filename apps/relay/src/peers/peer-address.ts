import type { KnownPeer } from '../directory/known-peer.js';

/** Where a peer is called, and as whom. */
export interface PeerAddress {
  /** The audience that is paired for. */
  readonly origin: string;
  /** The entry of the peer, whose secret signs. */
  readonly known: KnownPeer;
}
