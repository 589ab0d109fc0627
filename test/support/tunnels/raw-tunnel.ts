import { exchangeBytes, type ReceivedResponse } from '../clients/raw-client.js';
import { headBytes, type Field } from '../network/raw-http.js';
import { TOKEN, startRelay, type RelayEnvironment, type TestRelay } from '../relays/relay.js';
import { startScriptedUpstream, type ScriptedUpstream } from '../upstreams/scripted-upstream.js';

/** A tunnel between raw sockets: neither its client nor its upstream normalises HTTP. */
export interface RawTunnel {
  readonly upstream: ScriptedUpstream;
  /** Relay B: opens messages and calls the upstream. */
  readonly inbound: TestRelay;
  /** Relay A: the relay that clients call. */
  readonly outbound: TestRelay;
  /** The fields that a client of this tunnel sends: host, token and the origin of relay B. */
  readonly fields: readonly Field[];
  /** The head of a request with `fields` and others. */
  head(startLine: string, ...others: readonly Field[]): Buffer;
  /** Writes one request and reads its response, until the connection ends. */
  exchange(method: string, ...bytes: readonly (Buffer | string)[]): Promise<ReceivedResponse>;
  close(): Promise<void>;
}

export interface RawTunnelOptions {
  /** The environment of both relays. */
  readonly both?: RelayEnvironment;
  readonly outbound?: RelayEnvironment;
  readonly inbound?: RelayEnvironment;
}

export async function startRawTunnel(options: RawTunnelOptions = {}): Promise<RawTunnel> {
  const upstream = await startScriptedUpstream();
  const [inbound, outbound] = await Promise.all([
    startRelay({ ...options.both, UPSTREAM: upstream.url, ...options.inbound }),
    startRelay({ ...options.both, ...options.outbound }),
  ]);
  const fields: readonly Field[] = [
    ['Host', 'api.example.com'],
    ['X-MTE-Outbound-Token', TOKEN],
    ['X-MTE-Upstream', inbound.url],
  ];
  return {
    upstream,
    inbound,
    outbound,
    fields,
    head: (startLine, ...others) => headBytes(startLine, [...fields, ...others]),
    exchange: (method, ...bytes) =>
      exchangeBytes({
        port: outbound.port,
        method,
        bytes: bytes.map((piece) =>
          typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece,
        ),
      }),
    close: async () => {
      await Promise.all([outbound.close(), inbound.close(), upstream.close()]);
    },
  };
}
