import type { AddressInfo } from 'node:net';

/** The origin of a server, with the address that it listens on: `http://0.0.0.0:8080` is every IPv4 address. */
export function listeningOrigin(
  protocol: 'http' | 'https',
  { address, family, port }: AddressInfo,
): string {
  return `${protocol}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
