import { Clock } from '@relay/clock';

import { request, type ClientRequestSpec, type ClientResponse } from '../clients/client.js';
import { HandMovedClock } from '../time/hand-moved-clock.js';
import { startManInTheMiddle, type ManInTheMiddle } from '../attackers/man-in-the-middle.js';
import { TOKEN, startRelay, type RelayEnvironment, type TestRelay } from '../relays/relay.js';
import { startUpstream, type Upstream, type UpstreamHandler } from '../upstreams/upstream.js';

export interface AttackedTunnelOptions {
  readonly handler?: UpstreamHandler;
  readonly outbound?: RelayEnvironment;
  readonly inbound?: RelayEnvironment;
  /** How far the outbound relay's wall clock is ahead of the inbound relay's, in milliseconds. */
  readonly clockSkewMs?: number;
}

/** A tunnel with an attacker on the path, and with clocks that stand still until the test advances them. */
export interface AttackedTunnel {
  readonly upstream: Upstream;
  readonly inbound: TestRelay;
  readonly outbound: TestRelay;
  readonly attacker: ManInTheMiddle;
  /** Lets time pass for both relays. */
  advance(ms: number): void;
  /** How many requests the upstream has received completely. Waits for requests that are still in progress. */
  executions(): Promise<number>;
  send(spec?: ClientRequestSpec): Promise<ClientResponse>;
  close(): Promise<void>;
}

export async function startAttackedTunnel(
  options: AttackedTunnelOptions = {},
): Promise<AttackedTunnel> {
  const clocks = {
    outbound: new HandMovedClock(Date.now() + (options.clockSkewMs ?? 0)),
    inbound: new HandMovedClock(Date.now()),
  };
  const upstream = await startUpstream(options.handler);
  const [inbound, outbound] = await Promise.all([
    startRelay({ UPSTREAM: upstream.url, ...options.inbound }, (builder) =>
      builder.overrideProvider(Clock).useValue(clocks.inbound),
    ),
    startRelay(options.outbound, (builder) =>
      builder.overrideProvider(Clock).useValue(clocks.outbound),
    ),
  ]);
  const attacker = await startManInTheMiddle(inbound.url);
  const clientHeaders = { 'x-mte-outbound-token': TOKEN, 'x-mte-upstream': attacker.url };
  return {
    upstream,
    inbound,
    outbound,
    attacker,
    advance: (ms) => {
      clocks.outbound.advance(ms);
      clocks.inbound.advance(ms);
    },
    executions: () => completed(upstream),
    send: (spec = {}) =>
      request(outbound.url, { ...spec, headers: { ...clientHeaders, ...spec.headers } }),
    close: async () => {
      await Promise.all([outbound.close(), inbound.close(), upstream.close(), attacker.close()]);
    },
  };
}

/** How many requests an upstream has received completely. Waits for requests that are still in progress. */
export async function completed({ requests }: Upstream): Promise<number> {
  const outcomes = await Promise.all(requests.items.map(({ outcome }) => outcome));
  return outcomes.filter((outcome) => outcome === 'complete').length;
}
