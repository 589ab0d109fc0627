import { request, type ClientRequestSpec, type ClientResponse } from '../clients/client.js';
import { TOKEN, type RelayEnvironment } from '../relays/relay.js';
import { startRelayProcess, type RelayProcess } from '../processes/relay-process.js';
import { startUpstream, type Upstream, type UpstreamHandler } from '../upstreams/upstream.js';

/** Two built relays in separate processes, in front of an upstream in this process. */
export interface ProcessTunnel {
  readonly upstream: Upstream;
  /** Relay B: opens messages and calls the upstream. */
  readonly inbound: RelayProcess;
  /** Relay A: the relay that clients call. */
  readonly outbound: RelayProcess;
  readonly clientHeaders: Readonly<Record<string, string>>;
  /** Sends a client's request through the tunnel and collects the response. */
  send(spec?: ClientRequestSpec): Promise<ClientResponse>;
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
  const clientHeaders = { 'x-mte-outbound-token': TOKEN, 'x-mte-upstream': inbound.url };
  const open = [upstream, inbound, outbound];
  return {
    upstream,
    inbound,
    outbound,
    clientHeaders,
    send: (spec = {}) =>
      request(outbound.url, { ...spec, headers: { ...clientHeaders, ...spec.headers } }),
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
