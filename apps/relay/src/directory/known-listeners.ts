import { shownListenAt, type ClientEntry, type Directory, type ListenAt } from '@relay/config';

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

  constructor({ peers, clients }: Directory, known: ReadonlyMap<string, KnownPeer>) {
    const all = new Map<string, KnownListener>();
    for (const { name, listen } of peers) {
      const peer = known.get(name);
      const client = clients.find((entry) => entry.name === listen?.client);
      if (peer !== undefined && listen !== undefined && client !== undefined) {
        all.set(shownListenAt(listen.at), { at: listen.at, peer, client });
      }
    }
    this.all = all;
  }
}
