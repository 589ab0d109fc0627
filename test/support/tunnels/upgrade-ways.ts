import { startRelay, type RelayEnvironment, type TestRelay } from '../relays/relay.js';
import { tunnelClient } from './tunnel-client.js';

/** What a client needs to reach the API for an upgrade: directly, or through the tunnel. */
export interface UpgradeWay {
  /** The http origin to call. */
  readonly url: string;
  /** The same origin, as a WebSocket client wants it. */
  readonly webSocketUrl: string;
  /** What the client has to send with every request. */
  readonly headers: Readonly<Record<string, string>>;
}

/** One API, directly and behind two relays. */
export interface UpgradeWays {
  readonly direct: UpgradeWay;
  readonly tunnelled: UpgradeWay;
  readonly outbound: TestRelay;
  readonly inbound: TestRelay;
  /** Runs a client on both ways, one after the other. */
  both<T>(run: (way: UpgradeWay) => Promise<T>): Promise<{ direct: T; tunnelled: T }>;
  /** Ends the relays, but not the API. */
  close(): Promise<void>;
}

const wayTo = (url: string, headers: UpgradeWay['headers'] = {}): UpgradeWay => ({
  url,
  webSocketUrl: url.replace('http', 'ws'),
  headers,
});

/**
 * Starts two relays before an API that is asked for upgrades.
 *
 * @param both - the environment of the two relays
 */
export async function startUpgradeWays(
  api: { readonly url: string },
  both: RelayEnvironment = {},
): Promise<UpgradeWays> {
  const environment = { TUNNEL_TRANSPORT: 'auto', ...both };
  const [outbound, inbound] = await Promise.all([
    startRelay(environment),
    startRelay({ ...environment, UPSTREAM: api.url }),
  ]);
  const direct = wayTo(api.url);
  const tunnelled = wayTo(outbound.url, tunnelClient(outbound.url, inbound.url).clientHeaders);
  return {
    direct,
    tunnelled,
    outbound,
    inbound,
    both: async (run) => ({ direct: await run(direct), tunnelled: await run(tunnelled) }),
    close: async () => {
      await Promise.all([outbound.close(), inbound.close()]);
    },
  };
}
