import { Injectable } from '@nestjs/common';
import { RelayConfig } from '@relay/config';

import { ProxyExceptions } from './proxy-exceptions.js';
import { ProxyRoute } from './proxy-route.js';

/** Far more proxies than a directory names at a time. Those of earlier ones are forgotten with all others. */
const MAX_ROUTES = 1_000;

/** Decides which proxy, if any, leads to a peer. */
@Injectable()
export class PeerProxies {
  private readonly general: string | undefined;
  private readonly exceptions: ProxyExceptions;
  private readonly routes = new Map<string, ProxyRoute>();

  constructor({ peerProxyUrl, noProxy }: RelayConfig) {
    this.general = peerProxyUrl;
    this.exceptions = new ProxyExceptions(noProxy);
  }

  /**
   * @param origin - of the peer
   * @param proxy - URL of the proxy that is the peer's own; NO_PROXY does not apply to it
   * @returns undefined if the peer is connected to directly
   */
  routeTo(origin: string, proxy?: string): ProxyRoute | undefined {
    if (proxy !== undefined) {
      return this.through(proxy);
    }
    return this.general === undefined || this.exceptions.has(origin)
      ? undefined
      : this.through(this.general);
  }

  private through(url: string): ProxyRoute {
    let route = this.routes.get(url);
    if (route === undefined) {
      if (this.routes.size >= MAX_ROUTES) {
        this.routes.clear();
      }
      route = new ProxyRoute(url);
      this.routes.set(url, route);
    }
    return route;
  }
}
