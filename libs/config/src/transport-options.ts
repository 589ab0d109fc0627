import { IsIn } from 'class-validator';

import { protocol } from './rules/protocol.js';
import { FromText, Integer, listOf } from './rules/rule.js';

/** Every value of `TUNNEL_TRANSPORT`. */
export const TUNNEL_TRANSPORTS = ['auto', 'message', 'channel'] as const;

/** How requests travel between the relays. */
export type TunnelTransport = (typeof TUNNEL_TRANSPORTS)[number];

/** How requests travel between the relays, and what channels may take. docs/protocol.md section 11. */
export abstract class TransportOptions {
  /** `TUNNEL_TRANSPORT`: over channels where there are any (`auto`), never (`message`) or always (`channel`). */
  @IsIn(TUNNEL_TRANSPORTS, { message: `must be one of ${TUNNEL_TRANSPORTS.join(', ')}` })
  readonly tunnelTransport: TunnelTransport = 'auto';

  /** `CHANNELS_PER_PEER`: how many channels are kept to each peer that is in use, 1 to 64. */
  @Integer(1, 64)
  readonly channelsPerPeer: number = 2;

  /** `MAX_CHANNELS_PER_PEER`: how many channels there may be with one peer, for each role, 1 to 10000. */
  @Integer(1, 10_000)
  readonly maxChannelsPerPeer: number = 16;

  /** `CHANNEL_LIFETIME_SECONDS`: after about how long a channel is replaced, 10 to 86400 s. */
  @Integer(10, 86_400)
  readonly channelLifetimeSeconds: number = 600;

  /** `CHANNEL_BUFFER_BYTES`: what may wait for slow consumers in all channels of this process, 1 MiB to 1 TiB. */
  @Integer(1_048_576, 1_099_511_627_776)
  readonly channelBufferBytes: number = 268_435_456;

  /** `UPGRADE_PROTOCOLS`: protocols to which connections may be upgraded through the tunnel, in lower case. */
  @FromText(listOf(protocol))
  readonly upgradeProtocols: readonly string[] = ['websocket'];

  /** `MAX_UPGRADED_CONNECTIONS`: how many upgraded connections of the tunnel this process carries, 0 to 1000000. */
  @Integer(0, 1_000_000)
  readonly maxUpgradedConnections: number = 10_000;
}
