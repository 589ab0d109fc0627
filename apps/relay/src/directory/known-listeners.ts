import { shownListenAt, type ClientEntry, type Directory, type ListenAt } from '@relay/config';

import type { KnownPeer } from './known-peer.js';

/** A listener that leads to one peer, and in whose name. */
export interface KnownListener {
  readonly at: ListenAt;
  readonly peer: KnownPeer;
  readonly client: ClientEntry;
}

/** The listeners of peers by where they are, which remains while peer, client and permissions change. */
export type KnownListeners = ReadonlyMap<string, KnownListener>;

/** The listeners that a directory has. @param known - its peers by name */
export function listenersOf(
  { peers, clients }: Directory,
  known: ReadonlyMap<string, KnownPeer>,
): KnownListeners {
  const listeners = new Map<string, KnownListener>();
  for (const { name, listen } of peers) {
    const peer = known.get(name);
    const client = clients.find((entry) => entry.name === listen?.client);
    if (peer !== undefined && listen !== undefined && client !== undefined) {
      listeners.set(shownListenAt(listen.at), { at: listen.at, peer, client });
    }
  }
  return listeners;
}
