import { lookup as dnsLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

import { UpstreamRefusedError } from './peers.errors.js';

/** The first address of a network and the length of its prefix in bits. */
type Network = readonly [first: string, prefixBits: number];

/*
 * Addresses of the metadata services where cloud machines find their credentials, and of link-local neighbours. No relay has
 * such an address, and a client that could name one would read the credentials through this relay. docs/configuration.md names
 * what is behind each of them, and the source.
 */
const IPV4: readonly Network[] = [
  ['0.0.0.0', 8],
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['192.0.0.0', 24],
];
const IPV6: readonly Network[] = [
  ['::', 128],
  ['64:ff9b:1::', 48],
  ['fd00:42::42', 128],
  ['fd00:100::100:200', 128],
  ['fd00:a9fe:a9fe::1', 128],
  ['fd00:c1::a9fe:a9fe', 128],
  ['fd00:ec2::', 32],
  ['fd20:ce::254', 128],
  ['fe80::', 10],
];

/** The networks that no client may name, as documented. */
export const REFUSED_NETWORKS: readonly Network[] = [...IPV4, ...IPV6];

/** What precedes the 32 bits of an IPv4 address: NAT64 (RFC 6052), IPv4-translated (RFC 2765), IPv4-compatible (RFC 4291). */
const IPV4_FOLLOWS = ['64:ff9b::', '::ffff:0:', '::'];

const REFUSED = new BlockList();
for (const [first, prefixBits] of IPV6) {
  REFUSED.addSubnet(first, prefixBits, 'ipv6');
}
for (const [first, prefixBits] of IPV4) {
  // An IPv4 rule applies to IPv4-mapped IPv6 addresses too, such as ::ffff:169.254.169.254.
  REFUSED.addSubnet(first, prefixBits, 'ipv4');
  REFUSED.addSubnet(sixToFour(first), 16 + prefixBits, 'ipv6');
  for (const prefix of IPV4_FOLLOWS) {
    // The IPv4-compatible form of 0.0.0.0/8 would include ::1, where a relay beside this one may listen.
    if (prefix !== '::' || first !== '0.0.0.0') {
      REFUSED.addSubnet(prefix + first, 96 + prefixBits, 'ipv6');
    }
  }
}

/** The address of RFC 3056 that leads to an IPv4 address. */
function sixToFour(ipv4: string): string {
  const hex = ipv4.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0'));
  return `2002:${hex.slice(0, 2).join('')}:${hex.slice(2).join('')}::`;
}

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

/**
 * The addresses of a name, as far as they differ in family: whoever cannot reach one of them can perhaps reach the other.
 *
 * @param lookup - rejects names by the addresses that they have
 */
export async function addressesOf(name: string, lookup: LookupFunction): Promise<string[]> {
  const addresses = await new Promise<LookupAddress[]>((resolve, reject) => {
    lookup(name, { all: true }, (error, found) => {
      if (error === null) {
        resolve(found as LookupAddress[]);
      } else {
        reject(error);
      }
    });
  });
  return [4, 6]
    .map((family) => addresses.findIndex((address) => address.family === family))
    .filter((index) => index !== -1)
    .sort((one, other) => one - other)
    .map((index) => addresses[index]?.address ?? '');
}

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
