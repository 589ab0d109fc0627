import type { PeerEntry } from '@relay/config';
import { normalAuthority } from '@relay/fields';

import type { KnownPeer } from './known-peer.js';

/** What precedes the name of which all names below it are meant. */
const BELOW = '*.';

/** The peers, by what clients of the forward proxy call them. */
export class KnownHosts {
  private readonly peers = new Map<string, KnownPeer>();
  /** The same without their ports, for each peer. */
  private readonly names = new Set<string>();

  constructor(entries: readonly PeerEntry[], peers: ReadonlyMap<string, KnownPeer>) {
    for (const { name, hosts = [] } of entries) {
      const peer = peers.get(name);
      for (const host of hosts) {
        if (peer !== undefined) {
          this.peers.set(host, peer);
          this.names.add(keyOf(name, withoutPort(host)));
        }
      }
    }
  }

  /** Whether no peer has any. */
  get isEmpty(): boolean {
    return this.peers.size === 0;
  }

  /**
   * The peer that is called so: by the whole name, or else by the longest name that it is below.
   *
   * @param authority - `host` or `host:port`, as a client has sent it
   */
  find(authority: string): KnownPeer | undefined {
    const normal = normalAuthority(authority);
    const key =
      normal === undefined ? undefined : namesOf(normal).find((name) => this.peers.has(name));
    return key === undefined ? undefined : this.peers.get(key);
  }

  /** Whether a peer is called so, at whatever port. @param authority - as for `find` */
  isNameOf(peer: KnownPeer, authority: string): boolean {
    const normal = normalAuthority(authority) ?? '';
    return namesOf(withoutPort(normal)).some((name) => this.names.has(keyOf(peer.name, name)));
  }
}

/** A name, and what stands for all names below each of those that it is below; the longest first. */
function namesOf(name: string): string[] {
  const labels = name.split('.');
  return [name, ...labels.slice(1).map((_, at) => BELOW + labels.slice(at + 1).join('.'))];
}

function withoutPort(normal: string): string {
  return normal.slice(0, normal.lastIndexOf(':'));
}

function keyOf(name: string, host: string): string {
  return `${name} ${host}`;
}
