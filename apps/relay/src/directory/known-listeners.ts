import { shownListenAt, type ClientEntry, type ListenAt } from '@relay/config';

import type { KnownPeer } from './known-peer.js';

/** A listener that leads to one peer, and in whose name. */
export interface KnownListener {
  readonly at: ListenAt;
  readonly peer: KnownPeer;
  readonly client: ClientEntry;
}

/** The listeners of peers, by where they are. */
export class KnownListeners {
  /** By where they are: that remains while peer, client and permissions change. */
  readonly all: ReadonlyMap<string, KnownListener>;

  constructor(peers: readonly KnownPeer[], clients: readonly ClientEntry[]) {
    const all = new Map<string, KnownListener>();
    for (const peer of peers) {
      const { listen } = peer.entry;
      const client = clients.find(({ name }) => name === listen?.client);
      if (listen !== undefined && client !== undefined) {
        all.set(shownListenAt(listen.at), { at: listen.at, peer, client });
      }
    }
    this.all = all;
  }
}
