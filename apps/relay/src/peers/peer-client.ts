import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '@relay/clock';
import { RelayConfig } from '@relay/config';
import { buildConnector } from 'undici';

import { RelayMetrics } from '../telemetry/relay-metrics.js';
import type { PeerAddress } from './peer-address.js';
import { PeerConnections } from './peer-connections.js';
import { PeerOrigins } from './peer-origin.js';
import { PeerProxies } from './peer-proxies.js';
import { proxiedConnector } from './proxied-connector.js';
import type { ProxyRoute } from './proxy-route.js';
import { guardedLookup } from './refused-addresses.js';

/** The connections that messages to other relays are sent on. */
@Injectable()
export class PeerClient implements OnApplicationShutdown {
  private readonly direct: PeerConnections;
  /** By the URL of the proxy. */
  private readonly proxied = new Map<string, PeerConnections>();
  private listener: (origin: string) => void = () => undefined;

  constructor(
    private readonly config: RelayConfig,
    private readonly peerOrigins: PeerOrigins,
    private readonly proxies: PeerProxies,
    metrics: RelayMetrics,
    @Inject(Clock) private readonly clock: Clock,
  ) {
    this.direct = this.connections(undefined);
    metrics.openSockets.observe(
      () => [this.direct, ...this.proxied.values()].reduce((sum, { count }) => sum + count, 0),
      'peers',
    );
  }

  /** The connections that lead to a peer, directly or through a proxy. */
  connectionsTo({ origin, known }: PeerAddress): PeerConnections {
    const route = this.proxies.routeTo(origin, known.entry.proxy);
    return route === undefined
      ? this.direct
      : (this.proxied.get(route.url) ?? this.connectionsThrough(route));
  }

  /**
   * Reports each connection that ended other than by this relay's own doing.
   *
   * @param listener - receives the origin of the peer
   */
  onDisconnect(listener: (origin: string) => void): void {
    this.listener = listener;
  }

  async onApplicationShutdown(): Promise<void> {
    const all = [this.direct, ...this.proxied.values()];
    await Promise.all(all.map((connections) => connections.destroy()));
  }

  private connectionsThrough(route: ProxyRoute): PeerConnections {
    for (const [url, connections] of this.proxied) {
      // Peers that had another proxy until the directory changed.
      if (connections.areUnused) {
        this.proxied.delete(url);
      }
    }
    const connections = this.connections(route);
    this.proxied.set(route.url, connections);
    return connections;
  }

  private connections(route: ProxyRoute | undefined): PeerConnections {
    const timeout = this.config.connectTimeoutMs;
    const lookup = this.peerOrigins.areListed ? undefined : guardedLookup;
    const connect =
      route === undefined
        ? buildConnector({ timeout, ...(lookup === undefined ? {} : { lookup }) })
        : proxiedConnector(route, timeout, lookup);
    return new PeerConnections(
      connect,
      () => this.clock.monotonicMs(),
      (origin) => {
        this.listener(origin);
      },
    );
  }
}
