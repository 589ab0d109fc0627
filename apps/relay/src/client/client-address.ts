import type { Socket } from 'node:net';

const IPV4_MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/**
 * The address at the other end of a connection as a head states it: IPv6 in brackets, without a zone, and IPv4 as such even where
 * the listener speaks IPv6. Undefined if the connection is gone.
 */
export function clientAddress({ remoteAddress }: Socket): string | undefined {
  if (remoteAddress === undefined) {
    return undefined;
  }
  const [address = ''] = remoteAddress.toLowerCase().split('%');
  const ipv4 = IPV4_MAPPED.exec(address)?.[1] ?? address;
  return ipv4.includes(':') ? `[${ipv4}]` : ipv4;
}
