import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * The network at the other end of a connection: an IPv4 address, or the first half of most IPv6 addresses, because a sender
 * with one address of such a network usually has all of them.
 */
export function senderNetwork(socket: Duplex): string {
  return ((socket as Socket).remoteAddress ?? '').split(':').slice(0, 4).join(':');
}
