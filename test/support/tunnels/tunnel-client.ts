import { request, type ClientRequestSpec, type ClientResponse } from '../clients/client.js';
import { TOKEN } from '../relays/relay.js';

/** A client of two relays. */
export interface TunnelClient {
  /** The headers that a client of this tunnel sends. */
  readonly clientHeaders: Readonly<Record<string, string>>;
  /** Sends a client's request through the tunnel and collects the response. */
  send(spec?: ClientRequestSpec): Promise<ClientResponse>;
}

/**
 * @param outbound - origin of relay A
 * @param inbound - origin of relay B
 */
export function tunnelClient(outbound: string, inbound: string): TunnelClient {
  const clientHeaders = { 'x-mte-outbound-token': TOKEN, 'x-mte-upstream': inbound };
  return {
    clientHeaders,
    send: (spec = {}) =>
      request(outbound, { ...spec, headers: { ...clientHeaders, ...spec.headers } }),
  };
}
