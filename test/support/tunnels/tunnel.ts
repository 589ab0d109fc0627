import { request, type ClientRequestSpec, type ClientResponse } from '../clients/client.js';
import { TOKEN, startRelay, type RelayEnvironment, type TestRelay } from '../relays/relay.js';
import {
  echoBody,
  startUpstream,
  type Upstream,
  type UpstreamHandler,
} from '../upstreams/upstream.js';

export interface TunnelOptions {
  readonly handler?: UpstreamHandler;
  /** The environment of both relays. */
  readonly both?: RelayEnvironment;
  readonly outbound?: RelayEnvironment;
  readonly inbound?: RelayEnvironment;
}

/** An upstream, the relay in front of it, and the relay that clients call. */
export interface Tunnel {
  readonly upstream: Upstream;
  /** Relay B: opens messages and calls the upstream. */
  readonly inbound: TestRelay;
  /** Relay A: the relay that clients call. */
  readonly outbound: TestRelay;
  /** The headers that a client of this tunnel sends. */
  readonly clientHeaders: Readonly<Record<string, string>>;
  /** Sends a client's request through the tunnel and collects the response. */
  send(spec?: ClientRequestSpec): Promise<ClientResponse>;
  close(): Promise<void>;
}

export async function startTunnel(options: TunnelOptions = {}): Promise<Tunnel> {
  const upstream = await startUpstream(options.handler ?? echoBody);
  const [inbound, outbound] = await Promise.all([
    startRelay({ ...options.both, UPSTREAM: upstream.url, ...options.inbound }),
    startRelay({ ...options.both, ...options.outbound }),
  ]);
  const clientHeaders = { 'x-mte-outbound-token': TOKEN, 'x-mte-upstream': inbound.url };
  return {
    upstream,
    inbound,
    outbound,
    clientHeaders,
    send: (spec = {}) =>
      request(outbound.url, { ...spec, headers: { ...clientHeaders, ...spec.headers } }),
    close: async () => {
      await Promise.all([outbound.close(), inbound.close(), upstream.close()]);
    },
  };
}
