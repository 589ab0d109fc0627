import type { RelayConfig } from '@relay/config';

import type { PeerChannel } from '../peers/peer-channel.js';
import type { PeerChannels } from '../peers/peer-channels.js';
import type { Peer } from '../peers/peer.js';
import { TunnelFailedError } from '../peers/peers.errors.js';

/** What a request needs to be given a channel. */
interface Chooser {
  readonly peer: Peer;
  readonly channels: PeerChannels;
  /** The network that the client is in. */
  readonly network: string;
  readonly config: RelayConfig;
  readonly hasOtherOrigin: boolean;
}

/**
 * Uses a channel, and waits for one if necessary, on behalf of a request that must not go as a message. protocol.md section 11.6.
 *
 * @param after - a channel is wanted that was opened when `openedCount` was already this; an older one only if there is none in time
 * @param use - called in the turn in which the channel has a place, because whoever else waits takes the next one in the same turn
 * @returns what `use` returns
 * @throws TunnelFailedError if there is none within CONNECT_TIMEOUT_MS, or no session; at once if none could be opened, and the peer
 *   has another origin
 */
export async function withChannel<T>(
  { peer, channels, network, config, hasOtherOrigin }: Chooser,
  after: number,
  use: (channel: PeerChannel) => T,
): Promise<T> {
  if (!peer.hasPaired) {
    // Only a request has a network, by which first pairings are limited.
    await peer.reserve(network);
  }
  const deadlineMs = performance.now() + config.connectTimeoutMs;
  for (;;) {
    const leftMs = deadlineMs - performance.now();
    const channel = channels.take(leftMs > 0 ? after : 0);
    if (channel !== undefined) {
      return use(channel);
    }
    // Another origin need not be waited for in vain.
    const isVain = hasOtherOrigin && channels.failure !== undefined;
    if (leftMs <= 0 || isVain) {
      throw new TunnelFailedError(
        'RELAY_CHANNEL_UNAVAILABLE',
        'no',
        'no channel to the other relay was opened in time, and TUNNEL_TRANSPORT allows nothing else',
        { cause: channels.failure },
      );
    }
    await channels.untilPlace(leftMs);
  }
}
