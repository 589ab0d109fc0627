import { isIP, isIPv6 } from 'node:net';

import { isLoopback, normalAuthority } from '@relay/fields';

/** What a request says about who sends it, and where it has arrived. */
export interface Arrival {
  readonly headers: {
    readonly host?: string | undefined;
    readonly origin?: string | undefined;
    readonly 'sec-fetch-site'?: string | undefined;
    readonly 'sec-fetch-mode'?: string | undefined;
  };
  readonly socket: { readonly localAddress?: string | undefined };
}

/** How a socket that listens on IPv6 addresses shows an IPv4 address. */
const MAPPED_IPV4 = /^::ffff:(?=[\d.]+$)/i;

/** Values of `sec-fetch-site` for requests of the user, and of the page itself. W3C Fetch Metadata, section 2.3. */
const NOT_FOREIGN: ReadonlySet<string> = new Set(['same-origin', 'none']);
const PORT = /:\d+$/;

/**
 * Keeps pages of other sites from what a browser of an operator can reach. A site whose name leads to the address of this listener
 * (DNS rebinding) would be the same site for the browser, which would let it read everything. `Host` still has its name.
 */
export class HostCheck {
  private readonly allowed: ReadonlySet<string>;

  /**
   * @param allowedHosts - as `normalAuthority` has them, without ports
   * @param listensAt - a name is allowed, too; an address only where it is the one that a request arrives at
   */
  constructor(allowedHosts: readonly string[], listensAt: string) {
    const name = isIP(listensAt) === 0 ? hostOf(listensAt) : undefined;
    this.allowed = new Set(name === undefined ? allowedHosts : [...allowedHosts, name]);
  }

  /** Whether the listener may be called so: as this machine, by the address where the request arrived, or by a configured host. */
  hasAllowedHost({ headers, socket }: Arrival): boolean {
    const host = hostOf(headers.host ?? '');
    return (
      host !== undefined &&
      (isLoopback(host) || this.allowed.has(host) || host === hostOfAddress(socket.localAddress))
    );
  }

  /**
   * Whether a page of another site has its browser send this. It could not read the response, but take the places of those who
   * watch. A link from another site is fine.
   *
   * A browser knows what is the same origin, and no page can choose what it says about that in `Sec-Fetch-Site`; a page under a name that
   * leads here does not get as far as this. Browsers leave the field out over plain HTTP, other than to this machine: then `Origin`
   * counts. Its port counts only if `Host` has one as well, which many reverse proxies leave out.
   */
  isOfForeignPage({ headers }: Arrival): boolean {
    const { host = '', origin, 'sec-fetch-site': site, 'sec-fetch-mode': mode } = headers;
    if (site !== undefined) {
      return !NOT_FOREIGN.has(site) && mode !== 'navigate';
    }
    return origin !== undefined && !isSameHost(origin.replace(/^https?:\/\//, ''), host);
  }
}

function isSameHost(one: string, other: string): boolean {
  return PORT.test(one) && PORT.test(other)
    ? one === other
    : one.replace(PORT, '') === other.replace(PORT, '');
}

function hostOf(authority: string): string | undefined {
  return normalAuthority(authority)?.replace(PORT, '');
}

function hostOfAddress(address = ''): string | undefined {
  const plain = address.replace(MAPPED_IPV4, '');
  return hostOf(isIPv6(plain) ? `[${plain}]` : plain);
}
