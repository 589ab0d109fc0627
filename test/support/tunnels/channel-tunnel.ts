import { Clock } from '@relay/clock';

import { startChannelPath, type ChannelPath } from '../attackers/channel-path.js';
import { startRelay, type RelayEnvironment, type TestRelay } from '../relays/relay.js';
import { HandMovedClock } from '../time/hand-moved-clock.js';
import { startUpstream, type Upstream, type UpstreamHandler } from '../upstreams/upstream.js';
import { tunnelClient, type TunnelClient } from './tunnel-client.js';

export interface ChannelTunnelOptions {
  readonly handler?: UpstreamHandler;
  readonly outbound?: RelayEnvironment;
  readonly inbound?: RelayEnvironment;
}

/** A tunnel over channels with an attacker on the path, and with clocks that stand still until the test advances them. */
export interface ChannelTunnel extends TunnelClient {
  readonly upstream: Upstream;
  readonly inbound: TestRelay;
  readonly outbound: TestRelay;
  readonly path: ChannelPath;
  /** Lets time pass for both relays. */
  advance(ms: number): void;
  close(): Promise<void>;
}

/** One channel at a time, unless the options say otherwise, so that a test knows which. */
export async function startChannelTunnel(
  options: ChannelTunnelOptions = {},
): Promise<ChannelTunnel> {
  const clocks = [new HandMovedClock(Date.now()), new HandMovedClock(Date.now())] as const;
  const upstream = await startUpstream(options.handler);
  const both = {
    TUNNEL_TRANSPORT: 'channel',
    CHANNELS_PER_PEER: '1',
    ADMIN_PORT: '0',
    // However far a test advances the clocks, no session is renewed: that would open a channel in place of one that was broken.
    SESSION_LIFETIME_SECONDS: '86400',
  };
  const [inbound, outbound] = await Promise.all([
    startRelay({ ...both, UPSTREAM: upstream.url, ...options.inbound }, (builder) =>
      builder.overrideProvider(Clock).useValue(clocks[0]),
    ),
    startRelay({ ...both, ...options.outbound }, (builder) =>
      builder.overrideProvider(Clock).useValue(clocks[1]),
    ),
  ]);
  const path = await startChannelPath(inbound.port);
  return {
    upstream,
    inbound,
    outbound,
    path,
    ...tunnelClient(outbound.url, path.url),
    advance: (ms) => {
      clocks.forEach((clock) => {
        clock.advance(ms);
      });
    },
    close: async () => {
      await Promise.all([outbound.close(), inbound.close(), upstream.close(), path.close()]);
    },
  };
}
