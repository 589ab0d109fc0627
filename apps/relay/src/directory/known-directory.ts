import { isDeepStrictEqual } from 'node:util';

import {
  ConfigInvalidError,
  type ClientEntry,
  type Directory,
  type Grant,
  type PeerEntry,
  type TenantEntry,
  shownName,
} from '@relay/config';
import type { SecretKeys } from '@relay/protocol';
import type { RelayName } from '@relay/signature';

import { KnownHosts } from './known-hosts.js';
import { listenersOf, type KnownListeners } from './known-listeners.js';
import { KnownPeer } from './known-peer.js';
import { KnownTenants } from './known-tenants.js';
import { KnownTokens } from './known-tokens.js';

/** A directory in the form in which it is asked: by kid, by name, by token, by audience. It never changes. */
export class KnownDirectory {
  readonly tokens: KnownTokens;
  readonly tenants: KnownTenants;
  readonly hosts: KnownHosts;
  readonly listeners: KnownListeners;
  private readonly byKid = new Map<
    string,
    { readonly peer: KnownPeer; readonly keys: SecretKeys }
  >();
  private readonly byName: ReadonlyMap<string, KnownPeer>;
  private readonly byOrigin = new Map<string, KnownPeer>();

  private constructor(
    readonly entries: Directory,
    readonly peers: readonly KnownPeer[],
    previousTenants?: KnownTenants,
  ) {
    this.tokens = new KnownTokens(entries.clients);
    this.tenants = new KnownTenants(entries.tenants, previousTenants);
    this.byName = new Map(peers.map((peer) => [peer.name, peer]));
    this.hosts = new KnownHosts(entries.peers, this.byName);
    this.listeners = listenersOf(entries, this.byName);
    for (const peer of peers) {
      for (const keys of peer.keys.all) {
        // One in four billion pairs of secrets. The sessions of two peers must not be mistaken for one another.
        if (this.byKid.has(keys.kid)) {
          throw new ConfigInvalidError([
            `peers.${peer.name} has a secret with the same key id as that of another peer: choose another secret`,
          ]);
        }
        this.byKid.set(keys.kid, { peer, keys });
      }
      const { reach } = peer.entry;
      for (const origin of reach.kind === 'origins' ? reach.origins : []) {
        this.byOrigin.set(origin, peer);
      }
    }
  }

  /** @param previous - the directory until now: what has not changed is taken from it, with its keys and its identity */
  static async of(
    entries: Directory,
    name: RelayName,
    previous?: KnownDirectory,
  ): Promise<KnownDirectory> {
    const make = async (entry: PeerEntry): Promise<KnownPeer> => {
      const before = previous?.byName.get(entry.name);
      return before !== undefined && isDeepStrictEqual(tunnelOf(before.entry), tunnelOf(entry))
        ? before
        : KnownPeer.of(entry, name, before);
    };
    const peers =
      previous === undefined
        ? await Promise.all(entries.peers.map(make))
        : await inTurn(entries.peers, make);
    const known = new Map(previous?.entries.tenants.map((entry) => [entry.name, entry]));
    const tenants = entries.tenants.map((entry) => {
      const before = known.get(entry.name);
      return before !== undefined && isDeepStrictEqual(before, entry) ? before : entry;
    });
    return new KnownDirectory({ ...entries, tenants }, peers, previous?.tenants);
  }

  /** The peer that holds the secret which a kid names, and the keys of that secret. */
  holderOf(kid: string): { readonly peer: KnownPeer; readonly keys: SecretKeys } | undefined {
    return this.byKid.get(kid);
  }

  /** The name of the peer that holds the secret which a kid names; undefined if its entry has none. */
  nameOf(kid: string): string | undefined {
    const peer = this.byKid.get(kid)?.peer;
    return peer === undefined ? undefined : shownName(peer.name);
  }

  /** The peer of this name. */
  peerNamed(name: string): KnownPeer | undefined {
    return this.byName.get(name);
  }

  /** The peer that has listed this origin as its own. */
  peerAt(origin: string): KnownPeer | undefined {
    return this.byOrigin.get(origin);
  }

  /** The client as it is now, if it would still be admitted as it was. @param nowMs - the wall clock's time */
  clientOf(grant: Grant, nowMs: number): ClientEntry | undefined {
    return grant.listener === undefined
      ? this.tokens.clientOf(grant, nowMs)
      : this.clientAt(grant.listener, grant.client.name);
  }

  private clientAt(listener: string, name: string): ClientEntry | undefined {
    const client = this.listeners.get(listener)?.client;
    return client?.name === name ? client : undefined;
  }

  /**
   * The tenant that a peer may enter under an audience.
   *
   * @param audience - name of the audience, as in a session
   * @param kid - of the secret that the peer signs with
   */
  tenantFor(audience: string, kid: string): TenantEntry | undefined {
    const peer = this.byKid.get(kid)?.peer;
    const tenant = this.tenants.find(audience);
    const isAdmitted =
      peer !== undefined && (tenant?.peers === undefined || tenant.peers.includes(peer.name));
    return isAdmitted ? tenant : undefined;
  }
}

/** What of an entry concerns the sessions and channels with its peer: not how clients here come to it. */
function tunnelOf(entry: PeerEntry): PeerEntry {
  return { ...entry, hosts: undefined, listen: undefined };
}

/** All at once would fill the thread pool, which looks up the names of hosts for the requests that are under way. */
async function inTurn(
  entries: readonly PeerEntry[],
  make: (entry: PeerEntry) => Promise<KnownPeer>,
): Promise<KnownPeer[]> {
  const peers: KnownPeer[] = [];
  for (const entry of entries) {
    peers.push(await make(entry));
  }
  return peers;
}
