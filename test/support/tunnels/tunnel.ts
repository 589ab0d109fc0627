import { startRelay, type RelayEnvironment, type TestRelay } from '../relays/relay.js';
import {
  echoBody,
  startUpstream,
  type Upstream,
  type UpstreamHandler,
} from '../upstreams/upstream.js';
import { tunnelClient, type TunnelClient } from './tunnel-client.js';

export interface TunnelOptions {
  readonly handler?: UpstreamHandler;
  /** The environment of both relays. */
  readonly both?: RelayEnvironment;
  readonly outbound?: RelayEnvironment;
  readonly inbound?: RelayEnvironment;
}

/** An upstream, the relay in front of it, and the relay that clients call. */
export interface Tunnel extends TunnelClient {
  readonly upstream: Upstream;
  /** Relay B: opens messages and calls the upstream. */
  readonly inbound: TestRelay;
  /** Relay A: the relay that clients call. */
  readonly outbound: TestRelay;
  close(): Promise<void>;
}

export async function startTunnel(options: TunnelOptions = {}): Promise<Tunnel> {
  const upstream = await startUpstream(options.handler ?? echoBody);
  const [inbound, outbound] = await Promise.all([
    startRelay({ ...options.both, UPSTREAM: upstream.url, ...options.inbound }),
    startRelay({ ...options.both, ...options.outbound }),
  ]);
  return {
    upstream,
    inbound,
    outbound,
    ...tunnelClient(outbound.url, inbound.url),
    close: async () => {
      await Promise.all([outbound.close(), inbound.close(), upstream.close()]);
    },
  };
}
