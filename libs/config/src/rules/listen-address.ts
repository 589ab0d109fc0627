import { isIPv4, isIPv6 } from 'node:net';

import { Refused } from './rule.js';

/** Where a server listens. */
export interface ListenAddress {
  /** An IP address in its shortest form and without brackets, or `localhost`. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
}

const MAX_PORT = 65_535;
const FORM = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+|localhost)):([1-9]\d{0,4})$/;

/** Reads `IP:port`, `[IPv6]:port` or `localhost:port`. */
export function listenAddress(text: string): ListenAddress | Refused {
  const [, ipv6, other = '', port = ''] = FORM.exec(text) ?? [];
  const isFine = ipv6 === undefined ? other === 'localhost' || isIPv4(other) : isIPv6(ipv6);
  if (!isFine || Number(port) > MAX_PORT) {
    return new Refused(
      'must be IP:port, [IPv6]:port or localhost:port, with a port from 1 to 65535',
    );
  }
  if (ipv6 === undefined) {
    return { host: other, port: Number(port) };
  }
  const host = new URL(`http://[${ipv6}]`).hostname.slice(1, -1);
  // One spelling for each address: that of IPv4 is what is compared and judged.
  return host.startsWith('::ffff:')
    ? new Refused('must be an IPv4 address as such, not within an IPv6 address')
    : { host, port: Number(port) };
}
