import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * The network at the other end of a connection: an IPv4 address, or the first half of most IPv6 addresses, because whoever has
 * one such network has all of its addresses.
 */
export function senderNetwork(socket: Duplex): string {
  return ((socket as Socket).remoteAddress ?? '').split(':').slice(0, 4).join(':');
}
