import { type RelayEnvironment } from '../relays/relay.js';
import { startRelayProcess, type RelayProcess } from '../processes/relay-process.js';
import { startUpstream, type Upstream, type UpstreamHandler } from '../upstreams/upstream.js';
import { tunnelClient, type TunnelClient } from './tunnel-client.js';

/** Two built relays in separate processes, in front of an upstream in this process. */
export interface ProcessTunnel extends TunnelClient {
  readonly upstream: Upstream;
  /** Relay B: opens messages and calls the upstream. */
  readonly inbound: RelayProcess;
  /** Relay A: the relay that clients call. */
  readonly outbound: RelayProcess;
  /** Starts relay B again on the same port, after it has ended. */
  restartInbound(): Promise<RelayProcess>;
  close(): Promise<void>;
}

export async function startProcessTunnel(
  handler?: UpstreamHandler,
  overrides: RelayEnvironment = {},
): Promise<ProcessTunnel> {
  const upstream = await startUpstream(handler);
  const environment = { ...overrides, UPSTREAM: upstream.url };
  const [inbound, outbound] = await Promise.all([
    startRelayProcess(environment),
    startRelayProcess(overrides),
  ]);
  const open = [upstream, inbound, outbound];
  return {
    upstream,
    inbound,
    outbound,
    ...tunnelClient(outbound.url, inbound.url),
    restartInbound: async () => {
      const restarted = await startRelayProcess({ ...environment, PORT: String(inbound.port) });
      open.push(restarted);
      return restarted;
    },
    close: async () => {
      await Promise.all(open.map((resource) => resource.close()));
    },
  };
}
