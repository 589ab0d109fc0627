import { startIntermediary, type Intermediary, type Program } from '../network/intermediaries.js';
import { startRelay, type RelayEnvironment, type TestRelay } from '../relays/relay.js';
import { startUpstream, type Upstream } from '../upstreams/upstream.js';
import { tunnelClient, type TunnelClient } from './tunnel-client.js';

/** Where on the path an intermediary stands. */
export const PLACES = ['in front of A', 'between the relays', 'in front of the API'] as const;
export type Place = (typeof PLACES)[number];

/** Two relays with a real intermediary on the path. */
export interface PathTunnel extends TunnelClient {
  readonly upstream: Upstream;
  readonly inbound: TestRelay;
  readonly outbound: TestRelay;
  readonly intermediary: Intermediary;
  /** What clients call: relay A, or the intermediary in front of it. */
  readonly entrance: { readonly port: number; readonly url: string };
  close(): Promise<void>;
}

export interface PathOptions {
  /** The environment of both relays. */
  readonly both?: RelayEnvironment;
  readonly inbound?: RelayEnvironment;
  /** Changes the documented block before it is used. */
  readonly adjust?: (block: string) => string;
}

export async function startPathTunnel(
  program: Program,
  place: Place,
  { both = {}, inbound: inboundOnly = {}, adjust }: PathOptions = {},
): Promise<PathTunnel> {
  const upstream = await startUpstream();
  const start = (next: number): Promise<Intermediary> => startIntermediary(program, next, adjust);
  const inFrontOfApi = place === 'in front of the API' ? await start(upstream.port) : undefined;
  const inbound = await startRelay({
    ...both,
    ...inboundOnly,
    UPSTREAM: (inFrontOfApi ?? upstream).url,
  });
  const outbound = await startRelay(both);
  const intermediary =
    inFrontOfApi ?? (await start((place === 'in front of A' ? outbound : inbound).port));
  const entrance = place === 'in front of A' ? intermediary : outbound;
  const peer = place === 'between the relays' ? intermediary : inbound;
  return {
    upstream,
    inbound,
    outbound,
    intermediary,
    entrance,
    ...tunnelClient(entrance.url, peer.url),
    close: async () => {
      await intermediary.close();
      await Promise.all([outbound.close(), inbound.close(), upstream.close()]);
    },
  };
}
