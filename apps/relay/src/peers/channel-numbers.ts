import type { RelayConfig } from '@relay/config';

/** How many channels are kept to a peer that is in use. protocol.md section 11.6. */
export function channelsToKeep({ channelsPerPeer, maxChannelsPerPeer }: RelayConfig): number {
  return Math.min(channelsPerPeer, maxChannelsPerPeer);
}

/**
 * Whether more channels to a peer may drain: they keep their places there, and those for the next replacements must be left. If
 * there are so few places that they never are, channels are replaced all the same.
 */
export function hasRoomToDrain(config: RelayConfig, draining: number): boolean {
  const needed = 2 * channelsToKeep(config);
  const most = config.maxChannelsPerPeer;
  return needed > most || draining + needed < most;
}
