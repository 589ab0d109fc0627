import { lookup as dnsLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { BlockList, isIP } from 'node:net';

import { UpstreamRefusedError } from './peers.errors.js';

/**
 * Addresses of the metadata services where cloud machines find their credentials, and of link-local neighbours. No relay has
 * such an address, and a client that could name one would read the credentials through this relay.
 */
const REFUSED = new BlockList();
REFUSED.addSubnet('169.254.0.0', 16, 'ipv4');
REFUSED.addAddress('100.100.100.200', 'ipv4');
REFUSED.addAddress('168.63.129.16', 'ipv4');
REFUSED.addSubnet('192.0.0.0', 24, 'ipv4');
REFUSED.addSubnet('0.0.0.0', 8, 'ipv4');
REFUSED.addSubnet('fe80::', 10, 'ipv6');
// The IPv4 range 169.254.0.0/16 in NAT64, IPv4-compatible (deprecated) and 6to4 addresses.
REFUSED.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6');
REFUSED.addSubnet('::a9fe:0', 112, 'ipv6');
REFUSED.addSubnet('2002:a9fe::', 32, 'ipv6');
REFUSED.addSubnet('fd00:ec2::', 32, 'ipv6');
REFUSED.addAddress('::', 'ipv6');

/** @param host - as in the hostname of a URL, with IPv6 addresses in brackets, or an address without brackets */
export function isRefusedAddress(host: string): boolean {
  const address = host.startsWith('[') ? host.slice(1, -1) : host;
  const family = isIP(address);
  return family !== 0 && REFUSED.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

type LookupCallback = (
  error: Error | null,
  address: string | LookupAddress[],
  family?: number,
) => void;

/** dns.lookup for connecting, except that it fails for a name that resolves to a refused address. */
export function guardedLookup(
  hostname: string,
  options: LookupOptions,
  callback: LookupCallback,
): void {
  dnsLookup(hostname, options, (error, address, family) => {
    const found: string[] = Array.isArray(address)
      ? address.map((entry) => entry.address)
      : [address];
    if (error === null && found.some(isRefusedAddress)) {
      callback(new UpstreamRefusedError('the name resolves to a refused address'), '');
    } else {
      callback(error, address, family);
    }
  });
}
