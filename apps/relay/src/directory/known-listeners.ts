import type { ClientEntry, ListenAt } from '@relay/config';

import type { KnownPeer } from './known-peer.js';

/** A listener that leads to one peer, and in whose name. */
export interface KnownListener {
  readonly at: ListenAt;
  readonly peer: KnownPeer;
  readonly client: ClientEntry;
}

/** The listeners of peers, by where they are. */
export class KnownListeners {
  /** By `listenerName`. */
  readonly all: ReadonlyMap<string, KnownListener>;

  constructor(peers: readonly KnownPeer[], clients: readonly ClientEntry[]) {
    const all = new Map<string, KnownListener>();
    for (const peer of peers) {
      const { listen } = peer.entry;
      const client = clients.find(({ name }) => name === listen?.client);
      if (listen !== undefined && client !== undefined) {
        all.set(listenerName(listen.at), { at: listen.at, peer, client });
      }
    }
    this.all = all;
  }
}

/** What identifies a listener while its peer, its client or its permissions change; also what it is called in the log. */
export function listenerName(at: ListenAt): string {
  if (at.kind === 'unix') {
    return at.path;
  }
  const host = at.host.includes(':') ? `[${at.host}]` : at.host;
  return `${host}:${at.port}`;
}
